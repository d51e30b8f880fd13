import {
  ACTIONS,
  type AgentRef,
  CA_SLOT_STATES,
  CHECKS,
  DIRECTIONS,
  type Finding,
  HOLD_SOURCES,
  type Hold,
  LIFECYCLE_STATES,
  REASONS,
  type VerdictRecord,
} from '#pkg/model'
import { ERROR_CODES } from '#pkg/model/errors'
import type { AgentAnswer, MoveRecord } from './agents.ts'
import type { ErrorBody } from './answers.ts'
import type { DashboardCodeAnswer, DashboardSessionAnswer } from './dashboard.ts'
import type { ResetReason } from './events.ts'
import type { Explanation, HostRequest } from './explain.ts'
import type { SelfAnswer } from './identity.ts'
import { MOVE_VERBS, type MoveAnswer } from './moves.ts'
import type { Advice, AgentStatus, CaSlot, CaStatus, IdentityStatus, PolicyFault } from './ports.ts'
import type { FacadeAnswer, HealthAnswer, VersionAnswer } from './process.ts'
import * as s from './schema.ts'
import { SNAPSHOT_SCHEMAS } from './snapshot-schemas.ts'
import type { SummaryAnswer } from './summary.ts'

type Reference = { readonly policy: string; readonly path: string }

const ACTION = s.oneOf(ACTIONS)
const CHECK = s.oneOf(CHECKS)
const STATE = s.oneOf(LIFECYCLE_STATES)
const ACKS = s.objectOf<AgentStatus['acks']>({ wanted: s.COUNT, received: s.COUNT })
const REF = { namespace: s.DNS_LABEL, name: s.DNS_LABEL }

function eventOf(name: string, data: s.Schema): s.Schema {
  return {
    type: 'object',
    properties: {
      event: { const: name },
      data: { type: 'string', contentMediaType: 'application/json', contentSchema: data },
      id: s.TEXT,
    },
    required: ['event', 'data'],
  }
}

/** Every shape of an answer that has a name, as the types have it. */
export const SCHEMAS: Readonly<Record<string, s.Schema>> = {
  ...SNAPSHOT_SCHEMAS,
  Reason: s.oneOf(Object.keys(REASONS)),
  Error: s.objectOf<ErrorBody>({
    error: s.objectOf<ErrorBody['error']>(
      { code: s.oneOf(Object.keys(ERROR_CODES)), message: s.TEXT, nearest: s.TEXT },
      ['nearest'],
    ),
  }),
  Health: s.objectOf<HealthAnswer>({
    ok: s.BOOLEAN,
    reasons: s.listOf(s.TEXT),
    policyFaults: s.listOf(s.objectOf<PolicyFault>({ file: s.TEXT, line: s.COUNT, column: s.COUNT, message: s.TEXT })),
  }),
  Version: s.objectOf<VersionAnswer>({ version: s.TEXT, api: { const: 'v1' } }),
  Facade: s.objectOf<FacadeAnswer>({ facade: s.TEXT }),
  DashboardCode: s.objectOf<DashboardCodeAnswer>({ url: s.TEXT, expiresInSeconds: s.COUNT }),
  DashboardSession: s.objectOf<DashboardSessionAnswer>({ token: s.TEXT, expires: s.TIME }),
  Summary: s.objectOf<SummaryAnswer>({
    agents: s.mapOf(LIFECYCLE_STATES, s.COUNT),
    verdicts: s.objectOf<SummaryAnswer['verdicts']>({
      since: s.TIME,
      actions: s.mapOf(ACTIONS, s.COUNT),
      checks: s.mapOf(CHECKS, s.COUNT),
    }),
    health: s.objectOf<SummaryAnswer['health']>({ ok: s.BOOLEAN, reasons: s.listOf(s.TEXT) }),
  }),
  Hold: s.objectOf<Hold>(
    {
      epoch: s.COUNT,
      state: STATE,
      source: s.oneOf(HOLD_SOURCES),
      code: s.TEXT,
      verdictId: s.orNull(s.TEXT),
      since: s.TIME,
      reason: s.TEXT,
      by: s.TEXT,
    },
    ['reason', 'by'],
  ),
  Agent: s.objectOf<AgentAnswer>(
    {
      ...REF,
      state: STATE,
      reason: s.orNull(s.TEXT),
      epoch: s.COUNT,
      acks: ACKS,
      role: s.orNull(s.TEXT),
      mode: s.orNull(s.oneOf(['Enforce', 'Audit'])),
      policies: s.listOf(s.TEXT),
      generation: s.COUNT,
      holds: s.listOf(s.refTo('Hold')),
      releaseThroughEpoch: s.COUNT,
      warnings: s.listOf(s.objectOf<Advice>({ code: s.TEXT, agent: s.orNull(s.AGENT), message: s.TEXT })),
      token: { ...s.orNull(s.TEXT), description: 'Only over the Unix socket.' },
    },
    ['token'],
  ),
  Move: s.objectOf<MoveAnswer>({
    ...REF,
    verb: s.oneOf(MOVE_VERBS),
    from: STATE,
    to: { ...s.orNull(STATE), description: 'null = forgotten, and not in the folder either.' },
    epoch: s.COUNT,
    changed: s.BOOLEAN,
    durable: s.BOOLEAN,
    acks: ACKS,
  }),
  MoveRecord: s.objectOf<MoveRecord>({
    id: s.TEXT,
    time: s.TIME,
    from: { ...s.orNull(STATE), description: 'null = it was not known before.' },
    to: STATE,
    epoch: s.COUNT,
    source: s.oneOf([...HOLD_SOURCES, 'File']),
    by: s.orNull(s.TEXT),
    code: s.orNull(s.TEXT),
    reason: s.orNull(s.TEXT),
    verdictId: s.orNull(s.TEXT),
  }),
  Verdict: s.objectOf<Omit<VerdictRecord, 'caller'>>({
    id: s.TEXT,
    time: s.TIME,
    agent: s.orNull(s.AGENT),
    session: s.orNull(s.TEXT),
    dialect: s.TEXT,
    direction: s.oneOf(DIRECTIONS),
    tool: s.orNull(s.TEXT),
    action: ACTION,
    enforced: s.BOOLEAN,
    reasons: s.listOf(s.refTo('Reason')),
    check: s.orNull(CHECK),
    policy: s.orNull(s.TEXT),
    rule: s.orNull(s.TEXT),
    us: { ...s.COUNT, description: 'Time that the judgement took, µs.' },
    message: s.TEXT,
    generation: s.COUNT,
    epoch: s.COUNT,
  }),
  VerdictLine: {
    description: 'A verdict; the last line of a reader that is too far behind is an error.',
    anyOf: [s.refTo('Verdict'), s.refTo('Error')],
  },
  Event: {
    description: 'One server-sent event by its fields; its data is JSON.',
    oneOf: [
      { ...eventOf('verdict', s.refTo('Verdict')), required: ['event', 'data', 'id'] },
      eventOf('agent', s.refTo('Agent')),
      eventOf('agent-gone', s.objectOf<AgentRef>(REF)),
      eventOf('reset', s.objectOf<{ reason: ResetReason }>({ reason: { const: 'LAST_EVENT_UNKNOWN' } })),
      eventOf('error', s.refTo('Error')),
    ],
  },
  Explanation: s.objectOf<Explanation>({
    agent: s.AGENT,
    tool: s.orNull(s.TEXT),
    request: s.orNull(s.objectOf<HostRequest>({ method: s.TEXT, url: s.TEXT })),
    action: ACTION,
    enforced: s.BOOLEAN,
    reasons: s.listOf(s.refTo('Reason')),
    check: s.orNull(CHECK),
    policy: s.orNull(s.TEXT),
    rule: s.orNull(s.TEXT),
    findings: s.listOf(
      s.objectOf<Finding>(
        {
          check: CHECK,
          reason: s.refTo('Reason'),
          at: s.COUNT,
          detail: s.TEXT,
          rule: s.orNull(s.objectOf<Reference>({ policy: s.TEXT, path: s.TEXT })),
          action: s.oneOf(['Record', 'Deny']),
        },
        ['action'],
      ),
    ),
  }),
  Identity: s.objectOf<IdentityStatus>({
    ...REF,
    spiffeId: s.TEXT,
    uid: s.TEXT,
    epoch: s.COUNT,
    serial: s.TEXT,
    notBefore: s.TIME,
    notAfter: s.TIME,
    slot: s.TEXT,
    thumbprint: s.TEXT,
    chain: { ...s.TEXT, description: 'PEM, the leaf first.' },
  }),
  Ca: s.objectOf<CaStatus>({
    trustDomain: s.TEXT,
    sequence: s.COUNT,
    slots: s.listOf(
      s.objectOf<CaSlot>({
        id: s.TEXT,
        authority: s.oneOf(['X509', 'Jwt']),
        state: s.oneOf(CA_SLOT_STATES),
        made: s.TIME,
        notAfter: s.TIME,
      }),
    ),
    fault: s.orNull(s.TEXT),
  }),
  Bundle: {
    description: 'A JWK Set with the members of the SPIFFE bundle format.',
    type: 'object',
    properties: { keys: s.listOf({ type: 'object' }), spiffe_sequence: s.COUNT, spiffe_refresh_hint: s.COUNT },
    required: ['keys', 'spiffe_sequence', 'spiffe_refresh_hint'],
  },
  Self: s.objectOf<SelfAnswer>({
    ...REF,
    state: STATE,
    epoch: s.COUNT,
    role: s.orNull(s.TEXT),
    mode: s.orNull(s.oneOf(['Enforce', 'Audit'])),
    policies: s.listOf(s.TEXT),
    spiffeId: s.TEXT,
    tools: s.listOf(s.TEXT),
  }),
}
