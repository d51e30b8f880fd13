import {
  type Ask,
  type ClientLeg,
  findingOf,
  type Headers,
  type HostTarget,
  type UpstreamLeg,
  type Verdict,
} from '#pkg/model'
import { type ErrorCode, httpStatusOf, SallyportError } from '#pkg/model/errors'
import { plainHttp } from '#pkg/path/codec/dialect/plain-http'
import { hostAnswerHeaders, hostRequestHeaders } from '#pkg/path/codec/wire/http1'
import { isPermitStale } from '#pkg/path/upstream'
import { bodyHoldsToken, type Rejected } from './egress.ts'
import { refusalHeaders } from './exchange.ts'
import {
  addressesOf,
  admitToHost,
  type HostAdmission,
  type HostDesk,
  newHostDesk,
  openWith,
  UNKNOWN_AGENT,
  waitFor,
} from './host-desk.ts'
import { countFailure, countStatus, type Outcome } from './outcomes.ts'
import type { HostDeps } from './ports.ts'

type Admitted = Extract<HostAdmission, { ok: true }>

/** Brings one proxied request to its host, and its answer back, as bytes. Never rejects. */
export async function plainEgress(deps: HostDeps, ask: Ask, target: HostTarget, client: ClientLeg): Promise<Outcome> {
  const desk = newHostDesk(deps, ask.token, plainHttp)
  const refuse = (verdict: Verdict): Outcome => {
    client.reply(403, refusalHeaders(verdict), plainHttp.refusal(verdict))
    return 'refused'
  }
  const finding = faultOf(desk, ask, target)
  if (finding !== null) return answerFault(desk, ask, finding, client)
  const read = plainHttp.readRequest(ask, target)
  if (!read.ok)
    return refuse(desk.judge.request([findingOf(read.reason, read.at, read.detail)], desk.startedUs).verdict)
  await waitFor(deps, desk.agent)
  const admission = admitToHost(deps, desk, read.value)
  if (!admission.ok) return refuse(admission.verdict)
  await exchange(deps, desk, { ask, target, client }, admission)
  return admission.exchange.outcome
}

/** Refuses a proxied request that could not be read. */
export function rejectPlain(
  deps: HostDeps,
  { token }: Rejected,
  finding: ReturnType<typeof findingOf>,
  client: Pick<ClientLeg, 'reply'>,
): void {
  const desk = newHostDesk(deps, token, plainHttp)
  const { verdict } = desk.judge.request([desk.agent === null ? UNKNOWN_AGENT : finding], desk.startedUs)
  client.reply(403, refusalHeaders(verdict), plainHttp.refusal(verdict))
}

function faultOf(desk: HostDesk, ask: Ask, target: HostTarget): ReturnType<typeof findingOf> | null {
  if (desk.agent === null) return UNKNOWN_AGENT
  if (target.scheme === 'tcp')
    return findingOf('WIRE_ENDPOINT_UNKNOWN', 0, 'is a CONNECT, which is served over HTTP/1.1 only')
  if (!bodyHoldsToken(ask.body, ask.token)) return null
  return findingOf('WIRE_REQUEST_MALFORMED', 0, 'holds an agent token in its body; take it out')
}

/** Some clients send the credentials of a proxy only when they are asked for: where none came, they are. */
export function answerFault(
  desk: HostDesk,
  { headers }: Pick<Ask, 'headers'>,
  finding: ReturnType<typeof findingOf>,
  client: Pick<ClientLeg, 'reply'>,
): 'refused' {
  const { verdict } = desk.judge.request([finding], desk.startedUs)
  const asks = desk.agent === null && headers['proxy-authorization'] === undefined
  const more: Headers = asks ? { 'proxy-authenticate': 'Basic realm="sallyport"' } : {}
  client.reply(asks ? 407 : 403, { ...refusalHeaders(verdict), ...more }, plainHttp.refusal(verdict))
  return 'refused'
}

type Given = { readonly ask: Ask; readonly target: HostTarget; readonly client: ClientLeg }

async function exchange(deps: HostDeps, desk: HostDesk, given: Given, admitted: Admitted): Promise<void> {
  const { client } = given
  const { exchange } = admitted
  exchange.onVerdict = (verdict) => {
    // a body that is cut must not look complete
    if (exchange.begun) client.reset()
    else client.reply(403, refusalHeaders(verdict), plainHttp.refusal(verdict))
  }
  client.onGone(() => void exchange.stop('left'))
  const leave = deps.exchanges.enter(exchange)
  try {
    const answer = await dial(deps, desk, given, admitted)
    if (answer === null || !exchange.goesOn()) return void answer?.cancel()
    exchange.begun = true
    countStatus(deps.metrics, plainHttp.name, answer.status)
    await relay(answer, admitted, client)
  } catch (error) {
    if (isPermitStale(error)) return exchange.cut()
    if (!exchange.stop('failed')) return
    countFailure(deps.metrics, plainHttp.name, error)
    if (exchange.begun) client.reset()
    else replyFault(error, client)
  } finally {
    leave()
  }
}

async function dial(deps: HostDeps, desk: HostDesk, given: Given, admitted: Admitted): Promise<UpstreamLeg | null> {
  const { ask, target } = given
  const { exchange } = admitted
  const addresses = await addressesOf(deps, desk, exchange, target)
  if (addresses === null) return null
  const { method, path, query } = ask
  const sent = { method, path: path + query, headers: hostRequestHeaders(ask.headers), signal: exchange.signal }
  const hasBody = ask.body.length > 0 || ask.headers['content-length'] !== undefined
  return await openWith(desk, admitted, (permit) =>
    deps.openHost(permit, { ...sent, target, addresses, body: hasBody ? ask.body : null }),
  )
}

async function relay(answer: UpstreamLeg, { exchange }: Admitted, client: ClientLeg): Promise<void> {
  try {
    client.head(answer.status, hostAnswerHeaders(answer.headers))
    for await (const chunk of answer.chunks) {
      if (!exchange.goesOn()) return
      const full = client.write([chunk])
      if (full !== undefined) await full
    }
    if (exchange.stop('answered')) client.end()
  } finally {
    answer.cancel() // a no-op after the end
  }
}

/** A fault that is no refusal, told to a client that has no answer yet. */
export function replyFault(error: unknown, client: Pick<ClientLeg, 'reply'>): void {
  const known = error instanceof SallyportError ? error : null
  const code: ErrorCode = known?.code ?? 'INTERNAL'
  const text = `sallyport: ${code}: ${known?.message ?? 'the exchange failed in itself'}`
  client.reply(httpStatusOf(code), { 'content-type': 'application/json' }, plainHttp.fault(code, text))
}
