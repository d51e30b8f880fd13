import {
  type Action,
  type AgentKey,
  type Direction,
  type Finding,
  findingOf,
  type Permit,
  type Reason,
  type Snapshot,
  type Standing,
  type Subject,
  type Verdict,
  type VerdictRecord,
} from '#pkg/model'
import type { Judge } from '#pkg/path/enforce'
import { type Decision, decide } from '#pkg/path/policy'
import type { EgressDeps } from './ports.ts'

/** Whom and what the verdicts of one exchange are about. */
export type Docket = {
  readonly agent: AgentKey | null
  /** The other agent whose request it is; null = the agent's own. */
  readonly caller?: { readonly spiffeId: string } | null
  readonly dialect: string
  /** Which way what is judged goes: a request, or what a request or an answer holds. */
  readonly directionOf: (kind: Subject['kind']) => Direction
  /** Told right before the agent is severed by this very exchange, which ends by its own verdict. */
  readonly severing: () => void
}

/** The judge of one exchange, request included. */
export type ExchangeJudge = Judge & {
  /** The verdict on the request; written down unless it is a plain allow. */
  request(
    findings: readonly Finding[],
    startedUs: number,
  ): { readonly verdict: Verdict; readonly permit: Permit | null }
  /** Would the request be let through by these rules? Nothing is written down. */
  admits(findings: readonly Finding[]): boolean
}

type JudgeDeps = Pick<EgressDeps, 'roster' | 'lives' | 'verdicts' | 'clock' | 'newVerdictId'>

const REQUEST: Subject = { kind: 'request', tool: null, named: false, ordinal: 0 }
const STREAM: Subject = { kind: 'stream', tool: null, named: false, ordinal: 0 }

/** Makes the judge of one exchange: asks `policy`, writes the verdict down, and then starts what a Sever starts. */
export function newJudge(deps: JudgeDeps, docket: Docket): ExchangeJudge {
  const { agent } = docket
  const nowUs = (): number => deps.clock.monotonicUs()

  const context = (): { snapshot: Snapshot | null; standing: Standing | null } => ({
    snapshot: agent === null ? null : (deps.roster.loaded(agent)?.snapshot ?? null),
    standing: agent === null ? null : deps.lives.standingOf(agent),
  })

  /** Decides, writes down, severs: in this order, so that what takes effect is on record. */
  const rule = (subject: Subject, findings: readonly Finding[], startedUs: number): Decision => {
    const { snapshot: rules, standing } = context()
    const isOthers = docket.caller != null && docket.directionOf(subject.kind) === 'FromPeer'
    const snapshot = isOthers && rules !== null ? sparing(rules) : rules
    const decision = decide({ id: deps.newVerdictId(), subject, findings, snapshot, standing })
    const { verdict } = decision
    if (verdict.action === 'Allow' && !isNoted(subject.kind, docket)) return decision
    let written = true
    try {
      deps.verdicts.append(
        recordOf(verdict, docket, { time: deps.clock.nowMs(), us: nowUs() - startedUs, snapshot, standing }),
      )
    } catch {
      written = false
    }
    if (verdict.action === 'Sever' && verdict.enforced) sever(verdict)
    return written ? decision : unwritten(subject, snapshot, standing)
  }

  const sever = (verdict: Verdict): void => {
    if (agent === null) return
    docket.severing()
    try {
      deps.lives.sever(agent, { code: verdict.reason ?? 'CHECK_FAILED', verdictId: verdict.id })
    } catch {
      // the state has changed all the same; that it could not be made durable closes the store for all traffic
    }
  }

  /** No record, no effect but a refusal. */
  const unwritten = (subject: Subject, snapshot: Snapshot | null, standing: Standing | null): Decision =>
    decide({
      id: deps.newVerdictId(),
      subject,
      findings: [findingOf('AUDIT_UNAVAILABLE', 0, 'is refused: its verdict could not be written down')],
      snapshot,
      standing,
    })

  return {
    nowUs,
    request: (findings, startedUs) => rule(REQUEST, findings, startedUs),
    admits: (findings) => decide({ id: '', subject: REQUEST, findings, ...context() }).permit !== null,
    lets: (subject, findings) => decide({ id: '', subject, findings, ...context() }).permit !== null,
    call: (subject, findings, startedUs) => {
      const { verdict, permit } = rule(subject, findings, startedUs)
      return { verdict, open: permit !== null }
    },
    stream: (findings) => rule(STREAM, findings, nowUs()).verdict,
  }
}

/** What others send can end their exchange, and never the life of the agent that they send it to. */
function sparing(snapshot: Snapshot): Snapshot {
  const known = SPARING.get(snapshot)
  if (known !== undefined) return known
  const { action, rules } = snapshot.onViolation
  const spare = (one: Action): Action => (one === 'Sever' ? 'Abort' : one)
  const spared = rules.map((rule) => ({ ...rule, action: spare(rule.action) }))
  const made = { ...snapshot, onViolation: { action: spare(action), rules: spared } }
  SPARING.set(snapshot, made)
  return made
}

const SPARING = new WeakMap<Snapshot, Snapshot>()

/** Of what is let through as it is, calls are on record, and what an agent says to another: not each word that it is told. */
function isNoted(kind: Subject['kind'], docket: Docket): boolean {
  if (kind === 'said') return docket.directionOf(kind) === 'ToPeer'
  return kind !== 'request' && kind !== 'list' && kind !== 'card'
}

type Moment = {
  readonly time: number
  readonly us: number
  readonly snapshot: Snapshot | null
  readonly standing: Standing | null
}

function recordOf(verdict: Verdict, docket: Docket, moment: Moment): VerdictRecord {
  const { subject } = verdict
  const reasons = new Set<Reason>(verdict.findings.map((finding) => finding.reason))
  return {
    id: verdict.id,
    time: new Date(moment.time).toISOString(),
    agent: docket.agent,
    ...(docket.caller == null ? {} : { caller: docket.caller.spiffeId }),
    session: null,
    dialect: docket.dialect,
    direction: docket.directionOf(subject.kind),
    tool: subject.named ? subject.tool : null,
    action: verdict.action,
    enforced: verdict.enforced,
    reasons: [...reasons],
    check: verdict.check,
    policy: verdict.policy,
    rule: verdict.rule,
    us: Math.max(0, Math.round(moment.us)),
    message: verdict.message,
    generation: moment.snapshot?.generation ?? 0,
    epoch: moment.standing?.epoch ?? 0,
  }
}
