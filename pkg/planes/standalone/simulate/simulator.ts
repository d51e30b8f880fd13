import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { SallyportError } from '#pkg/model/errors'
import { planOf, wholeAnswer } from './answer.ts'
import { choose } from './choose.ts'
import { CONVERSATIONS, type Rule } from './conversations.ts'
import { anthropicApi } from './dialects/anthropic.ts'
import type { OtherApi, Read, Refused } from './dialects/contract.ts'
import { geminiApi } from './dialects/gemini.ts'
import { newResponsesApi } from './dialects/responses.ts'
import { eventsOf } from './events.ts'
import { badRequest, type Fault, modelNotFound } from './faults.ts'
import { embeddings, MODELS, modelEntry, modelList } from './models.ts'
import {
  countTokens,
  type Entry,
  MAX_REMEMBERED_BODY_BYTES,
  type RequestRecord,
  remember,
  type SeenRequest,
} from './record.ts'
import { readBody, sendFault, sendJson, sendStream } from './replies.ts'
import { readChat } from './request.ts'

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

type Settings = Required<SimulatorOptions>
type State = {
  readonly deps: SimulatorDeps
  readonly settings: Settings
  readonly record: RequestRecord
  readonly others: readonly OtherApi<unknown>[]
}

/** What an API reads goes back to the same API alone, so nobody else need know its type. */
function anyMore<More>(api: OtherApi<More>): OtherApi<unknown> {
  return api as OtherApi<unknown>
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
  const record: RequestRecord = { entries: [], tokens: 0, cancelled: 0 }
  const others = [anyMore(anthropicApi), anyMore(geminiApi), anyMore(newResponsesApi())]
  const state: State = { deps, settings, record, others }
  const server = createServer((request, response) => void serve(state, request, response))
  server.maxConnections = settings.maxConnections
  const port = await listen(server, settings.port)
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests: record.entries,
    get tokensSent() {
      return record.tokens
    },
    get cancelledStreams() {
      return record.cancelled
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
  const entry = remember(state.record, request, response, state.settings.maxRequests)
  response.on('error', () => {}) // a write after the client left; `close` tells the record
  const read = await readBody(request, state.settings.maxBodyBytes)
  if (read === 'cut off') return
  if (read === 'too large') return sendFault(response, entry, TOO_LARGE)
  const text = read.toString('utf8')
  const body = parse(text)
  entry.body = read.length > MAX_REMEMBERED_BODY_BYTES ? null : body
  const path = entry.path.split('?', 1)[0] ?? ''
  if (!authorised(state, entry)) return sendFault(response, entry, badKey(entry))
  if (entry.method === 'POST' && path === '/v1/chat/completions') return chat(state, entry, response, { text, body })
  if (entry.method === 'POST') {
    const other = otherOf(state, entry, path, body)
    if (other !== null) return speakOther(state, entry, response, { text, other })
  }
  if (entry.method === 'POST' && path === '/v1/embeddings') {
    const reading = embeddings(body, MODELS)
    return reading.ok ? sendJson(response, entry, 200, reading.body) : sendFault(response, entry, reading.fault)
  }
  if (entry.method === 'GET' && path === '/v1/models') return sendJson(response, entry, 200, modelList(MODELS))
  if (entry.method === 'GET' && path.startsWith('/v1/models/')) return oneModel(entry, response, path)
  return sendFault(response, entry, { ...badRequest(`Invalid URL (${entry.method} ${path})`), status: 404 })
}

const TOO_LARGE: Fault = { ...badRequest('Maximum content size limit exceeded.'), status: 413 }

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

function oneModel(entry: Entry, response: ServerResponse, path: string): void {
  const id = path.slice('/v1/models/'.length) // no id on offer needs an escape
  const model = MODELS.find((each) => each.id === id)
  if (model === undefined) sendFault(response, entry, modelNotFound(id))
  else sendJson(response, entry, 200, modelEntry(model))
}

/** A request to another API than Chat, with the API that reads it. */
type Other = { readonly api: OtherApi<unknown>; readonly reading: Read<unknown> | Refused }

function otherOf(state: State, entry: Entry, path: string, body: unknown): Other | null {
  for (const api of state.others) {
    const reading = api.read(path, entry.path.slice(path.length), body)
    if (reading !== null) return { api, reading }
  }
  return null
}

function speakOther(
  state: State,
  entry: Entry,
  response: ServerResponse,
  { text, other }: { readonly text: string; readonly other: Other },
): void | Promise<void> {
  const { api, reading } = other
  if (!reading.ok) return sendJson(response, entry, reading.status, reading.body)
  const { request } = reading
  const chosen = choose(request, state.settings.conversations)
  const plan = planOf(request, chosen, text, Math.floor(state.deps.clock.nowMs() / 1_000))
  entry.rule = chosen.rule
  entry.tokensPlanned = plan.tokens
  const sent = (tokens: number) => countTokens(state.record, entry, tokens)
  if (request.stream) {
    const contentType = api.streamType(reading)
    return sendStream(response, entry, api.events(plan, reading), {
      delayMs: state.settings.tokenDelayMs,
      sent,
      contentType,
    })
  }
  sent(plan.tokens)
  return sendJson(response, entry, 200, api.whole(plan, reading))
}

type Sent = { readonly text: string; readonly body: unknown }

function chat(state: State, entry: Entry, response: ServerResponse, sent: Sent): void | Promise<void> {
  const reading = readChat(sent.body, MODELS)
  if (!reading.ok) return sendFault(response, entry, reading.fault)
  const { request } = reading
  const chosen = choose(request, state.settings.conversations)
  const plan = planOf(request, chosen, sent.text, Math.floor(state.deps.clock.nowMs() / 1_000))
  entry.rule = chosen.rule
  entry.tokensPlanned = plan.tokens * request.choices
  const count = (tokens: number) => countTokens(state.record, entry, tokens)
  if (request.stream) {
    const delayMs = state.settings.tokenDelayMs
    return sendStream(response, entry, eventsOf(plan, request), { delayMs, sent: count })
  }
  count(entry.tokensPlanned)
  return sendJson(response, entry, 200, wholeAnswer(plan, request.choices))
}
