import {
  type AgentKey,
  type Ask,
  agentRefOf,
  type ClientLeg,
  type Dialect,
  type Direction,
  type Finding,
  findingOf,
  type Reason,
  type RequestActs,
  type RequestView,
  type UpstreamLeg,
  type Verdict,
  type Voice,
} from '#pkg/model'
import { isErrorCode, SallyportError } from '#pkg/model/errors'
import { holdsToken, requestContentType, upstreamRequestHeaders } from '#pkg/path/codec/wire/http1'
import { judgeActs } from '#pkg/path/enforce'
import { isPermitStale } from '#pkg/path/upstream'
import { nextTurn, relay } from './answer.ts'
import { CALLED_FACADE, ownCredentials, partyOf, type Sender, UNKNOWN_TOKEN, withCaller } from './caller.ts'
import { Exchange, refusalHeaders } from './exchange.ts'
import { type ExchangeJudge, newJudge } from './judge.ts'
import { countFailure, countStatus, type Outcome } from './outcomes.ts'
import { ownsTasks, TASK_UNKNOWN, withPeer } from './peer.ts'
import type { Destination, EgressDeps, FacadeRoute } from './ports.ts'
import { addressOf, answerBack, noteSession, ownsSession } from './tool-server.ts'

/** A request that was refused while it was still being read. */
export type Rejected = Pick<Ask, 'facade' | 'method' | 'path' | 'token'> & Partial<Pick<Ask, 'query'>>

/** The egress path: one call for each request. Neither ever rejects. */
export type Egress = {
  handle(ask: Ask, client: ClientLeg): Promise<void>
  /** Refuses what could not be read whole. */
  reject(ask: Rejected, reason: Reason, detail: string, client: ClientLeg): void
}

/** How often a request is judged again because the rules changed between its verdict and its write. */
const MAX_ROUNDS = 3

/** Makes the egress path. DESIGN §2, WIRE.md. */
export function newEgress(deps: EgressDeps): Egress {
  return {
    handle: async (ask, client) => {
      const { dialect, outcome } = await egress(deps, ask, client)
      deps.metrics.count('sallyport_requests_total', { dialect, outcome })
    },
    reject: (ask, reason, detail, client) => {
      const agent = ask.token === null || ask.facade === CALLED_FACADE ? null : deps.roster.agentOf(ask.token)
      const desk = deskOf(deps, ask, agent, null)
      refuse(desk, agent === null ? [UNKNOWN_TOKEN] : [findingOf(reason, 0, detail)], deps.clock.monotonicUs(), client)
      deps.metrics.count('sallyport_requests_total', { dialect: desk.route.dialect.name, outcome: 'refused' })
    },
  }
}

/** Who asks, in which dialect, and who judges it. */
type Desk = {
  readonly route: { readonly dialect: Dialect; readonly provider: string }
  readonly judge: ExchangeJudge
  /** Judges what a request itself does. */
  readonly acts: ExchangeJudge
  readonly docket: { exchange: Exchange | null }
  /** How a request is answered that was not read. */
  readonly voice: Voice
}

/** The whole path, in the order in which the bytes travel. */
async function egress(deps: EgressDeps, ask: Ask, client: ClientLeg): Promise<Ended> {
  const startedUs = deps.clock.monotonicUs()
  const party = partyOf(deps, ask)
  const { agent } = party
  const caller = agent === null ? null : party.caller
  const desk = deskOf(deps, ask, agent, caller)
  const { dialect } = desk.route

  if (agent === null) return refuse(desk, [party.finding], startedUs, client)
  const pending = deps.lives.pending?.(agent) ?? null
  if (pending !== null) await pending
  const read = await readRequest(deps, ask, dialect)
  if (!read.ok) return refuse(desk, [read.finding], startedUs, client)

  const view = withPeer(deps, agent, caller === null ? read.view : withCaller(read.view, caller))
  const opened = await open(deps, desk, { ask, agent, caller, view, client, startedUs })
  if (opened === null) return { dialect: dialect.name, outcome: 'refused' }
  const leave = deps.exchanges.enter(opened.exchange)
  try {
    const answer = await opened.answer
    if (answer !== null) noteSession(deps, opened.exchange, answer)
    if (answer !== null) countStatus(deps.metrics, dialect.name, answer.status)
    if (answer !== null) await relay(deps, desk.judge, opened.exchange, answer)
  } catch (error) {
    if (!opened.exchange.over) countFailure(deps.metrics, dialect.name, error)
    fail(opened.exchange, error)
  } finally {
    leave()
    await opened.exchange.settled()
  }
  return { dialect: dialect.name, outcome: opened.exchange.outcome }
}

/** One request, once it is over. */
type Ended = { readonly dialect: string; readonly outcome: Outcome }

function deskOf(deps: EgressDeps, ask: Rejected, agent: AgentKey | null, caller: Sender | null): Desk {
  const route = routeOf(deps.routes.get(ask.facade) ?? firstOf(deps.routes), ask)
  const docket: { exchange: Exchange | null } = { exchange: null }
  const { name, provider, directions } = route.dialect
  const [out, back]: readonly [Direction, Direction] =
    directions ?? (provider === null ? ['ToTool', 'FromTool'] : ['ToModel', 'FromModel'])
  const about = { agent, caller, dialect: name, severing: () => docket.exchange?.severing() }
  return {
    route,
    judge: newJudge(deps, { ...about, directionOf: (kind) => (kind === 'request' ? out : back) }),
    acts: newJudge(deps, { ...about, directionOf: () => out }),
    docket,
    voice: route.dialect.voiceAt?.(ask.path) ?? route.dialect,
  }
}

/** A facade may speak several dialects: the one that owns the endpoint; else the first, which refuses it. */
function routeOf(route: FacadeRoute, ask: Rejected): Desk['route'] {
  const query = ask.query ?? ''
  const owner = route.dialects.find((dialect) => dialect.endpointOf(ask.method, ask.path, query) !== null)
  return { dialect: owner ?? route.dialects[0], provider: route.provider }
}

/** A request outside every facade is answered in some dialect: the first. */
function firstOf(routes: EgressDeps['routes']): FacadeRoute {
  for (const route of routes.values()) return route
  throw new SallyportError('INTERNAL', 'no facade is configured')
}

/** What is wrong with a path that is no endpoint of that facade, and what a client's base URL is there. */
export function notServed(routes: EgressDeps['routes'], facade: string): string {
  const route = routes.get(facade)
  const here = route === undefined ? [...routes.values()] : [route]
  const ends = here.map(({ base, below = '' }) => base + below).join(', ')
  const what = 'names a method and path that is not served here'
  return `${what}: the base URL of a client ends with ${route === undefined ? 'one of ' : ''}${ends}`
}

type Read = { readonly ok: true; readonly view: RequestView } | { readonly ok: false; readonly finding: Finding }

async function readRequest(deps: EgressDeps, ask: Ask, dialect: Dialect): Promise<Read> {
  const no = (reason: Reason, at: number, detail: string): Read => ({
    ok: false,
    finding: findingOf(reason, at, detail),
  })
  const endpoint = deps.routes.has(ask.facade) ? dialect.endpointOf(ask.method, ask.path, ask.query) : null
  if (endpoint === null) return no('WIRE_ENDPOINT_UNKNOWN', 0, notServed(deps.routes, ask.facade))
  if (holdsToken(endpoint.query ?? ask.query))
    return no('WIRE_HEADER_INVALID', 0, 'has an agent token in its query; send it as the API key in a header')
  const typed = endpoint.method === 'POST' && (ask.body.length > 0 || ask.headers['content-type'] !== undefined)
  const type = typed ? requestContentType(ask.headers, dialect.jsonTypes) : OK
  if (!type.ok) return no(type.reason, 0, type.detail)
  if (bodyHoldsToken(ask.body, ask.token))
    return no('WIRE_REQUEST_MALFORMED', 0, 'holds an agent token in its body; take it out')
  const work = { limits: deps.limits, yieldTurn: nextTurn }
  const reading = await dialect.readRequest(endpoint, ask.body, work, ask.headers)
  const provider = deps.routes.get(ask.facade)?.type
  if (reading.ok) return { ok: true, view: { ...reading.value, ...(provider === undefined ? {} : { provider }) } }
  return no(reading.reason, reading.at, reading.detail)
}

type Asked = {
  readonly ask: Ask
  readonly agent: AgentKey
  readonly caller: Sender | null
  readonly view: RequestView
  readonly client: ClientLeg
  readonly startedUs: number
}

type Opened = { readonly exchange: Exchange; readonly answer: Promise<UpstreamLeg | null> }

/** Judges the request, and opens the upstream with the permit. null = refused, and answered. */
async function open(deps: EgressDeps, desk: Desk, asked: Asked): Promise<Opened | null> {
  const admitted = admit(deps, desk, asked)
  if (admitted === null) return null
  const { exchange } = admitted
  return { exchange, answer: dial(deps, desk, asked, admitted) }
}

type Admitted = {
  readonly exchange: Exchange
  readonly permit: NonNullable<ReturnType<ExchangeJudge['request']>['permit']>
}

function admit(deps: EgressDeps, desk: Desk, asked: Asked): Admitted | null {
  const { agent, view, client, startedUs } = asked
  const loaded = deps.roster.loaded(agent)
  const standing = deps.lives.standingOf(agent)
  if (loaded === null || standing === null) {
    refuse(desk, [UNKNOWN_TOKEN], startedUs, client)
    return null
  }
  if (!deps.verdicts.healthy || !deps.lives.healthy) {
    refuse(desk, [UNRECORDED], startedUs, client)
    return null
  }
  const unknownCalls = countOnce(() => deps.released.unknown(agent, view.history.calls))
  const inspection = deps.firewall.inspect(loaded.rules, { view, agent: agentRefOf(agent), standing, unknownCalls })
  const { verdict, permit } = desk.judge.request(inspection.request(view), startedUs)
  if (permit === null) {
    deliver(desk, verdict, client, { view })
    return null
  }
  if (!ownsSession(deps, agent, view)) {
    deliver(desk, desk.judge.request([SESSION_UNKNOWN], startedUs).verdict, client, { view, status: 404 })
    return null
  }
  if (!ownsTasks(deps, agent, view)) {
    deliver(desk, desk.judge.request([TASK_UNKNOWN], startedUs).verdict, client, {
      view,
      status: view.errorStatus ?? 403,
    })
    return null
  }
  const { dialect } = desk.route
  const exchange = new Exchange(deps, desk.judge, {
    agent,
    dialect,
    view,
    client,
    loaded,
    standing,
    unknownCalls,
  })
  desk.docket.exchange = exchange
  return { exchange, permit }
}

/** However often a request is judged, its history is looked at once. */
function countOnce(count: () => number): () => number {
  let counted: number | null = null
  return () => {
    counted ??= count()
    return counted
  }
}

/** Opens the upstream. A permit that died before the write is judged again, by the rules that hold then. */
async function dial(deps: EgressDeps, desk: Desk, asked: Asked, admitted: Admitted): Promise<UpstreamLeg | null> {
  const { ask, agent, caller, view } = asked
  const { exchange } = admitted
  let permit = admitted.permit
  const refused = deps.records.of(agent)
  const restored = view.value === null ? null : desk.route.dialect.restore(view, refused, deps.limits.requestBytes)
  if (restored === 'lost') {
    exchange.conflict(desk.judge.stream([LOST]))
    return null
  }
  const body = view.value === null ? null : (restored ?? ask.body)
  for (let round = 0; ; round += 1) {
    if (view.acts !== undefined && !(await mayAct(deps, desk, view.acts, exchange))) return null
    try {
      const to = addressOf(deps, desk, asked)
      exchange.answerBack = (reply) => void answerBack(deps, { permit, to, ask, body: reply })
      const { or, ...first } = to
      const openAt = async (place: Omit<Destination, 'or'>): Promise<UpstreamLeg> => {
        const own = await ownCredentials(deps, place, { agent, caller, view, method: ask.method, body })
        const { bearer } = own
        const headers = { ...upstreamRequestHeaders(ask.headers), ...own.headers }
        const sent = { ...place, method: ask.method, headers, body, signal: exchange.signal }
        return await deps.open(permit, bearer === undefined ? sent : { ...sent, bearer })
      }
      let answer = await openAt(first)
      if (answer.status === 404 && or !== undefined) {
        answer.cancel()
        answer = await openAt(or)
      }
      if (answer.status < 300) refused.taken()
      return answer
    } catch (error) {
      if (isErrorCode(error, 'STATE_UNAVAILABLE')) {
        exchange.finish(desk.judge.request([UNRECORDED], asked.startedUs).verdict)
        return null
      }
      if (!isPermitStale(error) || round >= MAX_ROUNDS || exchange.over) throw error
    }
    const again = desk.judge.request(exchange.inspect().request(view), asked.startedUs)
    if (again.permit === null) {
      exchange.finish(again.verdict)
      return null
    }
    permit = again.permit
  }
}

/** Judges what the request itself does; false = refused, and answered. */
async function mayAct(deps: EgressDeps, desk: Desk, acts: RequestActs, exchange: Exchange): Promise<boolean> {
  const result = await judgeActs(acts, desk.acts, exchange, deps.limits)
  if (result.kind === 'ended') exchange.finish(result.verdict)
  else if (result.kind === 'answered') exchange.answer(result.status, result.verdictId, result.body)
  return result.kind === 'open' && !exchange.over
}

function refuse(desk: Desk, findings: readonly Finding[], startedUs: number, client: ClientLeg): Ended {
  deliver(desk, desk.judge.request(findings, startedUs).verdict, client)
  return { dialect: desk.route.dialect.name, outcome: 'refused' }
}

type Delivery = { readonly view?: RequestView; readonly status?: number }

function deliver(desk: Desk, verdict: Verdict, client: ClientLeg, { view, status = 403 }: Delivery = {}): void {
  const voice = view?.voice ?? desk.voice
  client.reply(status, refusalHeaders(verdict), voice.refusal(verdict))
}

function fail(exchange: Exchange, error: unknown): void {
  if (isPermitStale(error)) return exchange.cut()
  if (error instanceof SallyportError) return exchange.fault(error.code, error.message)
  return exchange.fault('INTERNAL', 'the exchange failed in itself')
}

/** An agent's token in a body would reach the provider, and its logs. */
export function bodyHoldsToken(body: Uint8Array, own: string | null): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.indexOf('sp_vk_') === -1) return false
  return (own !== null && bytes.includes(own)) || TOKEN.test(bytes.toString('latin1'))
}

const TOKEN = /sp_vk_[A-Za-z0-9]{32}/

const OK = { ok: true } as const

const LOST: Finding = findingOf(
  'WIRE_RESTORE_LOST',
  0,
  'goes on from an answer whose refused calls are no longer remembered; start a new conversation, or send its history',
)

const UNRECORDED: Finding = findingOf(
  'AUDIT_UNAVAILABLE',
  0,
  'is refused: verdicts, states or the use of a key cannot be written down',
)

const SESSION_UNKNOWN: Finding = findingOf(
  'WIRE_SESSION_UNKNOWN',
  0,
  'goes on with a session that this agent did not open, or that is forgotten; open a new one',
)
