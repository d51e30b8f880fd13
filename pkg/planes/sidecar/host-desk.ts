import {
  type AgentKey,
  agentRefOf,
  type Direction,
  type Finding,
  findingOf,
  type HostTarget,
  type Permit,
  type RequestView,
  type Verdict,
} from '#pkg/model'
import { isPermitStale } from '#pkg/path/upstream'
import { HostExchange } from './host-exchange.ts'
import { type ExchangeJudge, newJudge } from './judge.ts'
import { ownedFindings } from './owned.ts'
import type { HostDeps } from './ports.ts'

/** Who asks, and who judges it. */
export type HostDesk = {
  readonly agent: AgentKey | null
  readonly judge: ExchangeJudge
  readonly startedUs: number
  /** The exchange that came of it: if it severs its own agent, it ends by its own verdict. */
  exchange: HostExchange | null
}

/** How verdicts of a desk are written down. */
export type DeskNames = { readonly name: string; readonly directions: readonly [out: Direction, back: Direction] }

/** What is found of a proxied request without a known token. */
export const UNKNOWN_AGENT: Finding = findingOf(
  'IDENTITY_TOKEN_UNKNOWN',
  0,
  "carries no token of an agent; give the HTTP client a proxy URL with the agent's token, such as http://agent:sp_vk_…@127.0.0.1:16080",
)

/** Opens the desk of one request. */
export function newHostDesk(deps: HostDeps, token: string | null, { name, directions }: DeskNames): HostDesk {
  const agent = token === null ? null : deps.roster.agentOf(token)
  const [out, back] = directions
  const desk: HostDesk = {
    agent,
    startedUs: deps.clock.monotonicUs(),
    exchange: null,
    judge: newJudge(deps, {
      agent,
      dialect: name,
      severing: () => desk.exchange?.severing(),
      directionOf: (kind) => (kind === 'request' ? out : back),
    }),
  }
  return desk
}

/** A permit with the exchange that it is for; or the verdict that refuses. */
export type HostAdmission =
  | { readonly ok: true; readonly permit: Permit; readonly exchange: HostExchange }
  | { readonly ok: false; readonly verdict: Verdict }

/** Waits for what the agent needs before it may act, its first SVID say. */
export async function waitFor({ lives }: Pick<HostDeps, 'lives'>, agent: AgentKey | null): Promise<void> {
  const pending = agent === null ? null : (lives.pending?.(agent) ?? null)
  if (pending !== null) await pending
}

/** Judges a request, before anything is resolved or dialled. */
export function admitToHost(deps: HostDeps, desk: HostDesk, view: RequestView): HostAdmission {
  const refuse = (finding: Finding): HostAdmission => ({
    ok: false,
    verdict: desk.judge.request([finding], desk.startedUs).verdict,
  })
  const { agent } = desk
  const loaded = agent === null ? null : deps.roster.loaded(agent)
  const standing = agent === null ? null : deps.lives.standingOf(agent)
  if (agent === null || loaded === null || standing === null) return refuse(UNKNOWN_AGENT)
  if (!deps.verdicts.healthy || !deps.lives.healthy)
    return refuse(findingOf('AUDIT_UNAVAILABLE', 0, 'is refused: verdicts or states cannot be written down'))
  const inspection = deps.firewall.inspect(loaded.rules, { view, agent: agentRefOf(agent), standing })
  const findings = [...inspection.request(view), ...ownedFindings(deps, loaded.snapshot, view)]
  const { verdict, permit } = desk.judge.request(findings, desk.startedUs)
  if (permit === null) return { ok: false, verdict }
  const exchange = new HostExchange(deps, desk.judge, { agent, view, loaded, standing })
  desk.exchange = exchange
  return { ok: true, permit, exchange }
}

/** How often a request is judged again because the rules changed between its verdict and its write. */
const MAX_ROUNDS = 3

/**
 * Opens something with a permit. One that died before the write is judged again, by the rules that hold then.
 * null = refused by now, and the exchange has ended.
 */
export async function openWith<T>(
  desk: HostDesk,
  { permit: first, exchange }: Extract<HostAdmission, { ok: true }>,
  open: (permit: Permit) => Promise<T>,
): Promise<T | null> {
  let permit = first
  for (let round = 0; ; round += 1) {
    try {
      return await open(permit)
    } catch (error) {
      if (!isPermitStale(error) || round >= MAX_ROUNDS || exchange.over) throw error
    }
    const again = desk.judge.request(exchange.findings(), desk.startedUs)
    if (again.permit === null) {
      exchange.finish(again.verdict)
      return null
    }
    permit = again.permit
  }
}

/** The judged addresses of a granted host; null = refused, and the exchange has ended. */
export async function addressesOf(
  deps: HostDeps,
  desk: HostDesk,
  exchange: HostExchange,
  target: HostTarget,
): Promise<readonly string[] | null> {
  const resolved = await deps.resolve(target)
  if (exchange.over) return null
  if (resolved.ok) return resolved.addresses
  exchange.finish(desk.judge.request([findingOf('EGRESS_ADDRESS_REFUSED', 0, resolved.detail)], desk.startedUs).verdict)
  return null
}
