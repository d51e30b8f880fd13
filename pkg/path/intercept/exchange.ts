import { type Ask, type ClientLeg, type Headers, HOST_FACADE, type HostTarget, type Reason } from '#pkg/model'
import type { Settings } from './options.ts'
import type { FacadeDeps, Fault, RejectedAsk } from './ports.ts'
import type { BodyFault, ReadBody, RequestBody } from './request-body.ts'
import type { Split } from './routes.ts'

/** A ClientLeg as its facade sees it. */
export interface ServedLeg extends ClientLeg {
  /** True once nothing more can be said to the client. */
  readonly over: boolean
  /** True once the answer has begun. */
  readonly headed: boolean
  /** The client is gone. Void after the last byte has left. */
  vanish(): void
  /** Nothing more is read of this request, and after its answer nothing of what came with it is used again. `before` is waited for first. */
  endAfter(before: (() => Promise<void>) | null): void
}

/** A request's head, as the parsers of HTTP/1.1 and HTTP/2 hand it over. */
export type RequestHead = {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
  readonly httpVersion: string
  /** True once the body is in. */
  readonly complete: boolean
}

/** One request that has its turn. */
export type Serving = {
  readonly request: RequestHead
  readonly response: { writeContinue(): void }
  /** The client waits for `100 Continue`. */
  readonly waits: boolean
  readonly leg: ServedLeg
  readonly body: RequestBody
}

/** What serving needs. */
export type ServeDeps = { readonly deps: FacadeDeps; readonly settings: Settings; split(path: string): Split }

/** Reads one request and has it handled or rejected; `done` is called when that is over. It never rejects. */
export async function serve(at: ServeDeps, serving: Serving, done: () => void): Promise<void> {
  const { leg } = serving
  try {
    await readAndHandle(at, serving)
    if (!leg.over) fail(at, leg, new Error('the handler ended without an answer'))
  } catch (error) {
    fail(at, leg, error)
  } finally {
    serving.body.release()
    done()
  }
}

async function readAndHandle(at: ServeDeps, serving: Serving): Promise<void> {
  const { deps, settings } = at
  const { request, leg } = serving
  const method = request.method ?? ''
  const listed = deps.rules.readHeaders(request.rawHeaders)
  const { target, ...known } = targetOf(at, method, request.url ?? '', listed.ok ? listed.headers : null)

  if (!listed.ok) return reject(at, serving, known, listed)
  if (!target.ok) return reject(at, serving, known, target)
  const framing = deps.rules.requestFraming(listed.headers, request.httpVersion)
  if (!framing.ok) return reject(at, serving, known, framing)

  const reading = readBody(at, serving, framing.length)
  const sent = reading instanceof Promise ? await reading : reading
  if (sent.kind === 'vanished') return leg.vanish()
  if (sent.kind !== 'whole') return reject(at, serving, known, bodyFault(sent.kind, settings))
  const encoding = deps.rules.contentEncodingOf(listed.headers)
  const { requestBytes: maxBytes, decodedRatio: ratio } = settings.limits
  if (target.host !== undefined) {
    const { host, query } = target
    return void (
      leg.gone || (await deps.handle({ ...known, query, headers: listed.headers, body: sent.bytes, target: host }, leg))
    )
  }
  const decoding = deps.decode(sent.bytes, encoding, { maxBytes, ratio })
  const decoded = decoding instanceof Promise ? await decoding : decoding
  if (!decoded.ok) return reject(at, serving, known, decoded)
  if (decoded.body !== sent.bytes && !serving.body.hold(decoded.body.length))
    return reject(at, serving, known, bodyFault('no-room', settings))
  if (leg.gone) return
  const ask: Ask = { ...known, query: target.query, headers: listed.headers, body: decoded.body }
  await deps.handle(ask, leg)
}

type KnownTarget = { readonly ok: true; readonly query: string; readonly host?: HostTarget } | Fault

/** Where a request goes, and who asks. `headers` is null where they could not be read. */
function targetOf(
  { deps: { rules }, split }: ServeDeps,
  method: string,
  url: string,
  headers: Headers | null,
): RejectedAsk & { readonly target: KnownTarget } {
  if (rules.isProxied(method, url)) {
    const read = rules.proxyTarget(method, url, headers ?? {})
    const token = headers === null ? null : rules.proxyTokenOf(headers)
    const target: KnownTarget = read.ok ? { ok: true, query: read.query, host: read.target } : read
    return { facade: HOST_FACADE, method, path: read.ok ? read.path : '', token, target }
  }
  const target = rules.requestTarget(method, url)
  const token = headers === null ? null : rules.tokenOf(headers, target.ok ? target.query : '')
  // the facade of a bad target only says in which dialect to refuse it
  const { facade, path } = split(target.ok ? target.path : url)
  return { facade, method, path: target.ok ? path : '', token, target }
}

const NO_BODY: ReadBody = { kind: 'whole', bytes: new Uint8Array(0) }

function readBody(at: ServeDeps, serving: Serving, length: number | null): ReadBody | Promise<ReadBody> {
  if (length === 0) return NO_BODY
  if (length !== null && length > at.settings.limits.requestBytes) return { kind: 'too-large' }
  if (serving.waits) serving.response.writeContinue()
  return serving.body.read()
}

function bodyFault(kind: BodyFault, settings: Settings): Fault {
  const fault = (reason: Reason, detail: string): Fault => ({ ok: false, reason, detail })
  if (kind === 'too-large')
    return fault('WIRE_BODY_TOO_LARGE', `has a body of more than ${settings.limits.requestBytes} bytes`)
  if (kind === 'no-room')
    return fault(
      'WIRE_BODY_TOO_LARGE',
      `brings the bodies held in this process above ${settings.maxBodyBytesHeld} bytes; try again later`,
    )
  if (kind === 'broken') return fault('WIRE_HEADER_INVALID', 'has a body whose chunked framing is broken')
  return fault('WIRE_REQUEST_MALFORMED', `was not complete within ${settings.requestTimeoutMs} ms`)
}

/** A request that breaks a rule is answered, and its connection not used again: its end may be in doubt. */
async function reject(at: ServeDeps, serving: Serving, known: RejectedAsk, fault: Fault): Promise<void> {
  const { leg, body, request, waits } = serving
  // a client that waits for leave to send its body, or whose body is in, has nothing more to say
  const sendsOn = !request.complete && !(waits && !body.started)
  leg.endAfter(sendsOn ? () => body.discard(at.settings.lingerMs) : null)
  await at.deps.reject(known, fault.reason, fault.detail, leg)
}

const INTERNAL = Buffer.from(
  JSON.stringify({
    error: { message: 'sallyport: INTERNAL: the request failed in itself', type: 'sallyport', code: 'INTERNAL' },
  }),
)

/** Whoever should have answered did not: nothing that was held may leave, and the client must not wait. */
function fail(at: ServeDeps, leg: ServedLeg, error: unknown): void {
  at.deps.log?.error('exchange-failed', { error })
  if (leg.over) return
  if (leg.headed) {
    leg.reset()
    return
  }
  leg.endAfter(null)
  leg.reply(500, { 'content-type': 'application/json', 'x-should-retry': 'false' }, INTERNAL)
}
