import {
  type AgentKey,
  type Ask,
  type ByteLeg,
  type ClientTunnel,
  type Dialect,
  findingOf,
  type Headers,
  NO_HISTORY,
  type Permit,
  type RequestView,
  type Verdict,
  type Voice,
} from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { plainHttp } from '#pkg/path/codec/dialect/plain-http'
import { answerHeaders, holdsToken, upstreamRequestHeaders } from '#pkg/path/codec/wire/http1'
import { relayBytes } from '#pkg/path/enforce'
import { isPermitStale } from '#pkg/path/upstream'
import { UNKNOWN_TOKEN } from './caller.ts'
import { notServed } from './egress.ts'
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
import { countFailure, type Outcome } from './outcomes.ts'
import { answerFault, replyFault } from './plain.ts'
import type { FacadeRoute, HostDeps } from './ports.ts'

type Admitted = Extract<HostAdmission, { ok: true }>

/** The other side, and how the client is told that it is open. */
type Opened = { readonly leg: ByteLeg; readonly status: number; readonly headers: Headers }

/** How many tunnels each agent has open. */
export type TunnelCounts = Map<AgentKey, number>

/** What opens one tunnel: judged in `view`, refused in `voice`, dialled by `open`. */
type Plan = {
  readonly desk: HostDesk
  readonly view: RequestView
  readonly voice: Pick<Voice, 'refusal'>
  readonly label: Readonly<Record<string, unknown>>
  open(admitted: Admitted): Promise<Opened | null>
}

/** Opens one opaque connection, by CONNECT or by an upgrade at a facade, and relays it to its end. Never rejects. */
export async function tunnelEgress(
  deps: HostDeps,
  counts: TunnelCounts,
  ask: Ask,
  client: ClientTunnel,
): Promise<Outcome> {
  const plan = ask.target === undefined ? planUpgrade(deps, ask, client) : planConnect(deps, ask, client)
  if (plan === null) return 'refused'
  await waitFor(deps, plan.desk.agent)
  const admission = admitToHost(deps, plan.desk, plan.view)
  if (!admission.ok) return refuse(plan, admission.verdict, client)
  const { agent } = admission.exchange
  const open = counts.get(agent) ?? 0
  const limit = deps.limits.tunnelsPerAgent
  if (open >= limit) {
    const text = `${open} opaque connections of this agent are open, which is the limit; close one first`
    replyFault(new SallyportError('OVERLOADED', text, { fields: { limit } }), client)
    return 'refused'
  }
  counts.set(agent, open + 1)
  const leave = deps.exchanges.enter(admission.exchange)
  try {
    await run(deps, plan, admission, client)
  } finally {
    leave()
    const left = (counts.get(agent) ?? 1) - 1
    if (left > 0) counts.set(agent, left)
    else counts.delete(agent)
  }
  return admission.exchange.outcome
}

function refuse({ voice }: Plan, verdict: Verdict, client: ClientTunnel): 'refused' {
  client.reply(403, refusalHeaders(verdict), voice.refusal(verdict))
  return 'refused'
}

function planConnect(deps: HostDeps, ask: Ask, client: ClientTunnel): Plan | null {
  const { target } = ask
  const desk = newHostDesk(deps, ask.token, plainHttp)
  if (desk.agent === null || target === undefined) {
    answerFault(desk, ask, UNKNOWN_AGENT, client)
    return null
  }
  const read = plainHttp.readRequest(ask, target)
  if (!read.ok) {
    answerFault(desk, ask, findingOf(read.reason, read.at, read.detail), client)
    return null
  }
  return {
    desk,
    view: read.value,
    voice: plainHttp,
    label: { host: target.host, port: target.port },
    open: async (admitted) => {
      const addresses = await addressesOf(deps, desk, admitted.exchange, target)
      if (addresses === null) return null
      const { signal } = admitted.exchange
      const leg = await openWith(desk, admitted, (permit) => deps.openTunnel(permit, { target, addresses, signal }))
      return leg === null ? null : { leg, status: 200, headers: {} }
    },
  }
}

function planUpgrade(deps: HostDeps, ask: Ask, client: ClientTunnel): Plan | null {
  const route = deps.routes.get(ask.facade) ?? firstOf(deps)
  const [dialect] = route.dialects
  const desk = newHostDesk(deps, ask.token, { name: dialect.name, directions: directionsOf(dialect) })
  const query = withoutKey(ask.query)
  const finding = faultOfUpgrade(deps, desk, ask, query)
  if (finding !== null) {
    const { verdict } = desk.judge.request([finding], desk.startedUs)
    client.reply(403, refusalHeaders(verdict), dialect.refusal(verdict))
    return null
  }
  return {
    desk,
    view: upgradeView(ask, route.type ?? dialect.provider),
    voice: dialect,
    label: { provider: route.provider, path: ask.path },
    open: async (admitted) => {
      const { signal } = admitted.exchange
      const sent = {
        provider: route.provider,
        path: ask.path + query,
        headers: upstreamRequestHeaders(ask.headers),
        signal,
      }
      const opened = await openWith(desk, admitted, (permit: Permit) => deps.openUpgrade(permit, sent))
      if (opened === null) return null
      const headers = { ...answerHeaders(opened.headers), connection: 'Upgrade', upgrade: 'websocket' }
      return { leg: opened.leg, status: 101, headers }
    },
  }
}

function faultOfUpgrade(deps: HostDeps, desk: HostDesk, ask: Ask, query: string) {
  if (desk.agent === null) return UNKNOWN_TOKEN
  if (!deps.routes.has(ask.facade)) return findingOf('WIRE_ENDPOINT_UNKNOWN', 0, notServed(deps.routes, ask.facade))
  if (holdsToken(query))
    return findingOf('WIRE_HEADER_INVALID', 0, 'has an agent token in its query; send it as the API key in a header')
  return modelsIn(query).length <= 1 ? null : findingOf('WIRE_REQUEST_MALFORMED', 0, 'names a model twice in its query')
}

/** The models that a query asks for, in any spelling of the name. */
function modelsIn(query: string): readonly string[] {
  return [...new URLSearchParams(query)].flatMap(([name, value]) => (name.toLowerCase() === 'model' ? [value] : []))
}

function firstOf({ routes }: Pick<HostDeps, 'routes'>): FacadeRoute {
  for (const route of routes.values()) return route
  throw new SallyportError('INTERNAL', 'no facade is configured')
}

function directionsOf({ directions, provider }: Dialect): NonNullable<Dialect['directions']> {
  return directions ?? (provider === null ? ['ToTool', 'FromTool'] : ['ToModel', 'FromModel'])
}

/** The parameter in which clients of some providers put their key, which is the agent's token. */
function withoutKey(query: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('key='))
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}

function upgradeView({ method, path, query, body }: Ask, provider: RequestView['provider']): RequestView {
  return {
    endpoint: { name: 'upgrade', method, path, query, kind: 'plain' },
    provider,
    body,
    value: null,
    model: modelsIn(query)[0] ?? null,
    modelless: true,
    stream: true,
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
    opaque: true,
  }
}

async function run(deps: HostDeps, plan: Plan, admitted: Admitted, client: ClientTunnel): Promise<void> {
  const { exchange } = admitted
  exchange.onVerdict = (verdict) => void refuse(plan, verdict, client)
  client.onGone(() => void exchange.stop('left'))
  let opened: Opened | null
  try {
    opened = await plan.open(admitted)
  } catch (error) {
    if (isPermitStale(error)) return exchange.cut()
    if (!exchange.stop('failed')) return
    countFailure(deps.metrics, plainHttp.name, error)
    return replyFault(error, client)
  }
  if (opened === null) return
  const side = exchange.goesOn() ? client.open(opened.status, opened.headers) : null
  if (side === null) {
    exchange.stop('left')
    return opened.leg.reset()
  }
  await relay(deps, plan, exchange, { client: side, host: opened.leg })
}

type Bytes = { out: number; back: number }

async function relay(
  deps: HostDeps,
  plan: Plan,
  exchange: Admitted['exchange'],
  sides: { readonly client: ByteLeg; readonly host: ByteLeg },
): Promise<void> {
  const bytes: Bytes = { out: 0, back: 0 }
  let movedAtMs = deps.clock.nowMs()
  let how = 'ended'
  const cut = (why: string): void => {
    how = why
    sides.client.reset()
    sides.host.reset()
  }
  exchange.begun = true
  exchange.onVerdict = () => cut('cut')
  exchange.onTick = (nowMs) => {
    if (nowMs - movedAtMs >= deps.limits.tunnelIdleMs && exchange.stop('cut')) cut('idle')
  }
  deps.log.info('tunnel-opened', { agent: exchange.agent, ...plan.label })
  const end = await relayBytes(sides, {
    passes: (direction, length) => {
      if (!exchange.goesOn()) return false
      bytes[direction] += length
      movedAtMs = deps.clock.nowMs()
      return true
    },
  })
  exchange.stop('answered')
  deps.log.info('tunnel-closed', {
    agent: exchange.agent,
    ...plan.label,
    how: how === 'ended' ? end : how,
    bytesOut: bytes.out,
    bytesBack: bytes.back,
  })
}
