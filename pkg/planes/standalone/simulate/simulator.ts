import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { SallyportError } from '#pkg/model/errors'
import { planOf, wholeAnswer } from './answer.ts'
import { choose } from './choose.ts'
import { CONVERSATIONS, type Rule } from './conversations.ts'
import { eventsOf, type StreamEvent } from './events.ts'
import { badRequest, type Fault, faultBody, modelNotFound } from './faults.ts'
import { lettersFrom } from './identifiers.ts'
import { embeddings, MODELS, modelEntry, modelList } from './models.ts'
import { type ChatRequest, readChat, unreadableBody } from './request.ts'

/** What the simulator takes from its process. */
export type SimulatorDeps = {
  /** Milliseconds since 1970; decides `created`. A clock that stands makes equal requests get equal bytes. */
  readonly clock: { nowMs(): number }
}

/** All optional. */
export type SimulatorOptions = {
  /** Port on 127.0.0.1. Default 0: a free one. */
  readonly port?: number
  /** Pause before each event of a stream, ms. Default 15. */
  readonly tokenDelayMs?: number
  /** The only API key that is let in, or null for any and none. Default null. */
  readonly apiKey?: string | null
  /** Requests remembered, oldest out. Default 1,000. */
  readonly maxRequests?: number
  /** Largest request body, bytes; over it 413. Default 16 MiB. */
  readonly maxBodyBytes?: number
  /** Connections at one time; further ones are dropped. Default 1,024. */
  readonly maxConnections?: number
  /** Default {@link CONVERSATIONS}. */
  readonly conversations?: readonly Rule[]
}

/** What arrived, and how far its answer got. */
export type SeenRequest = {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Value of the Authorization header, or null. */
  readonly authorization: string | null
  /** The parsed body, or null. */
  readonly body: unknown
  readonly status: number
  /** The conversation turn that answered it, or null. */
  readonly rule: string | null
  /** Tokens written so far, and tokens of the whole answer. */
  readonly tokensSent: number
  readonly tokensPlanned: number
  /** `cancelled`: the client went away before the end. */
  readonly outcome: 'open' | 'complete' | 'cancelled'
}

/** A running simulator. */
export type Simulator = {
  /** What one gives the provider's SDK as its base URL: `http://127.0.0.1:PORT/v1`. */
  readonly url: string
  /** The newest `maxRequests` requests, oldest first; entries of open streams keep changing. */
  readonly requests: readonly SeenRequest[]
  /** Tokens written to all clients so far. */
  readonly tokensSent: number
  /** Streams that a client left before their end. */
  readonly cancelledStreams: number
  /** Stops listening and drops every connection. */
  close(): Promise<void>
}

type Entry = { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] }
type Settings = Required<SimulatorOptions>
type State = {
  readonly deps: SimulatorDeps
  readonly settings: Settings
  readonly requests: Entry[]
  tokens: number
  cancelled: number
}

/** Starts a simulator on loopback. Throws SallyportError UNREACHABLE when the port cannot be had. */
export async function startSimulator(deps: SimulatorDeps, options: SimulatorOptions = {}): Promise<Simulator> {
  const settings: Settings = {
    port: 0,
    tokenDelayMs: 15,
    apiKey: null,
    maxRequests: 1_000,
    maxBodyBytes: 16 * 1024 * 1024,
    maxConnections: 1_024,
    conversations: CONVERSATIONS,
    ...options,
  }
  const state: State = { deps, settings, requests: [], tokens: 0, cancelled: 0 }
  const server = createServer((request, response) => void serve(state, request, response))
  server.maxConnections = settings.maxConnections
  const port = await listen(server, settings.port)
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests: state.requests,
    get tokensSent() {
      return state.tokens
    },
    get cancelledStreams() {
      return state.cancelled
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new SallyportError('UNREACHABLE', `the simulator cannot listen on 127.0.0.1:${port}`, { cause })),
    )
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const entry = remember(state, request)
  response.once('close', () => {
    if (entry.outcome === 'open') leave(state, entry, response)
  })
  const text = await readBody(request, state.settings.maxBodyBytes)
  if (text === null) return sendFault(response, entry, TOO_LARGE)
  entry.body = parse(text)
  if (!authorised(state, entry)) return sendFault(response, entry, badKey(entry))
  const url = entry.path.split('?', 1)[0] ?? ''
  if (entry.method === 'POST' && url === '/v1/chat/completions') return chat(state, entry, response, text)
  if (entry.method === 'POST' && url === '/v1/embeddings') {
    const reading = embeddings(entry.body, MODELS)
    return reading.ok ? sendJson(response, entry, 200, reading.body) : sendFault(response, entry, reading.fault)
  }
  if (entry.method === 'GET' && url === '/v1/models') return sendJson(response, entry, 200, modelList(MODELS))
  if (entry.method === 'GET' && url.startsWith('/v1/models/')) return oneModel(entry, response, url)
  return sendFault(response, entry, { ...badRequest(`Invalid URL (${entry.method} ${url})`), status: 404 })
}

const TOO_LARGE: Fault = { ...badRequest('Maximum content size limit exceeded.'), status: 413 }

function remember(state: State, request: IncomingMessage): Entry {
  const entry: Entry = {
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization ?? null,
    body: null,
    status: 0,
    rule: null,
    tokensSent: 0,
    tokensPlanned: 0,
    outcome: 'open',
  }
  state.requests.push(entry)
  if (state.requests.length > state.settings.maxRequests) state.requests.shift()
  return entry
}

function leave(state: State, entry: Entry, response: ServerResponse): void {
  entry.outcome = response.writableFinished ? 'complete' : 'cancelled'
  if (entry.outcome === 'cancelled' && entry.tokensPlanned > 0) state.cancelled++
}

/** The body as text, or null over the limit. A client that leaves in mid-body is answered to nobody. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | null> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of request) {
      const bytes = Buffer.from(part)
      size += bytes.length
      if (size > maxBytes) return null
      parts.push(bytes)
    }
  } catch {
    return null
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function authorised(state: State, entry: Entry): boolean {
  return state.settings.apiKey === null || entry.authorization === `Bearer ${state.settings.apiKey}`
}

function badKey(entry: Entry): Fault {
  const message =
    entry.authorization === null
      ? "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
      : 'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.'
  return { status: 401, message, param: null, code: entry.authorization === null ? null : 'invalid_api_key' }
}

function oneModel(entry: Entry, response: ServerResponse, url: string): void {
  const id = decodeURIComponent(url.slice('/v1/models/'.length))
  const model = MODELS.find((each) => each.id === id)
  if (model === undefined) return sendFault(response, entry, modelNotFound(id))
  return sendJson(response, entry, 200, modelEntry(model))
}

async function chat(state: State, entry: Entry, response: ServerResponse, text: string): Promise<void> {
  const reading = entry.body === null ? { ok: false as const, fault: unreadableBody() } : readChat(entry.body, MODELS)
  if (!reading.ok) return sendFault(response, entry, reading.fault)
  const { request } = reading
  const chosen = choose(request, state.settings.conversations)
  const plan = planOf(request, chosen, text, Math.floor(state.deps.clock.nowMs() / 1_000))
  entry.rule = chosen.rule
  entry.tokensPlanned = plan.tokens * request.choices
  if (request.stream) return stream(state, entry, response, eventsOf(plan, request))
  state.tokens += entry.tokensPlanned
  entry.tokensSent = entry.tokensPlanned
  return sendJson(response, entry, 200, wholeAnswer(plan, request.choices))
}

async function stream(
  state: State,
  entry: Entry,
  response: ServerResponse,
  events: Iterable<StreamEvent>,
): Promise<void> {
  entry.status = 200
  response.writeHead(200, headers(entry, 'text/event-stream; charset=utf-8'))
  response.flushHeaders()
  for (const event of events) {
    await pause(state.settings.tokenDelayMs)
    if (response.destroyed) return
    if (!response.write(event.text)) await drained(response)
    entry.tokensSent += event.tokens
    state.tokens += event.tokens
  }
  response.end()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)))
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
    response.once('close', resolve)
  })
}

function headers(entry: Entry, contentType: string): Record<string, string> {
  return {
    'content-type': contentType,
    'openai-organization': 'simulated',
    'openai-processing-ms': '1',
    'openai-version': '2020-10-01',
    'x-request-id': `req_${lettersFrom(`${entry.path} ${JSON.stringify(entry.body)}`, 32).toLowerCase()}`,
  }
}

function sendJson(response: ServerResponse, entry: Entry, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value, null, 2))
  entry.status = status
  response.writeHead(status, { ...headers(entry, 'application/json'), 'content-length': body.length })
  response.end(body)
}

function sendFault(response: ServerResponse, entry: Entry, fault: Fault): void {
  sendJson(response, entry, fault.status, faultBody(fault))
}
