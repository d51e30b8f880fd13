import {
  type Action,
  type AuditEvent,
  type CaSlotState,
  FRAMEWORK_KEYS,
  FRAMEWORKS,
  isReason,
  type LifecycleState,
  type OpenEvent,
  reasonRow,
  type Taxonomy,
  taxonomyOf,
} from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'

/** How much a person should mind, in the words of OCSF. */
export type Severity = 'Informational' | 'Low' | 'Medium' | 'High' | 'Critical'

/** A severity in numbers: `severity_id` of OCSF, and 0–10 of CEF and ECS. */
export const SEVERITIES = {
  Informational: { ocsf: 1, ten: 1 },
  Low: { ocsf: 2, ten: 3 },
  Medium: { ocsf: 3, ten: 5 },
  High: { ocsf: 4, ten: 8 },
  Critical: { ocsf: 5, ten: 10 },
} as const satisfies Readonly<Record<Severity, { readonly ocsf: number; readonly ten: number }>>

/** By what a verdict does. */
export const ACTION_SEVERITIES = {
  Allow: 'Informational',
  Record: 'Low',
  Redact: 'Low',
  Hold: 'Low',
  Deny: 'Medium',
  Abort: 'High',
  Sever: 'Critical',
} as const satisfies Readonly<Record<Action, Severity>>

/** By where an agent comes to. */
export const STATE_SEVERITIES = {
  Provisioned: 'Informational',
  Active: 'Informational',
  Quarantined: 'High',
  Suspended: 'Medium',
  Terminated: 'Medium',
} as const satisfies Readonly<Record<LifecycleState, Severity>>

/** By where a key of the CA comes to. */
export const SLOT_SEVERITIES = {
  Prepared: 'Informational',
  Published: 'Informational',
  Active: 'Informational',
  Retired: 'Informational',
  Tainted: 'High',
  Revoked: 'High',
} as const satisfies Readonly<Record<CaSlotState, Severity>>

/** By how a process found the log when it opened it. */
export const FOUND_SEVERITIES = {
  Nothing: 'Informational',
  AsLeft: 'Informational',
  HeadLost: 'High',
  Changed: 'Critical',
} as const satisfies Readonly<Record<OpenEvent['found'], Severity>>

/** The severity of an event. */
export function severityOf(event: AuditEvent): Severity {
  switch (event.kind) {
    case 'verdict':
      return ACTION_SEVERITIES[event.action]
    case 'move':
      return STATE_SEVERITIES[event.to]
    case 'ca':
      return SLOT_SEVERITIES[event.to]
    case 'open':
      return FOUND_SEVERITIES[event.found]
    case 'issuance':
    case 'key-use':
      return 'Informational'
  }
}

/** What an event is in one stable word: its first reason where it has one, else its kind. */
export function codeOf(event: AuditEvent): string {
  if (event.kind === 'verdict') return event.reasons[0] ?? 'VERDICT'
  if (event.kind === 'move') return event.code ?? 'MOVE'
  if (event.kind === 'open') return OPEN_CODES[event.found]
  return { issuance: 'ISSUANCE', 'key-use': 'KEY_USE', ca: 'CA' }[event.kind]
}

const OPEN_CODES = {
  Nothing: 'OPEN',
  AsLeft: 'OPEN',
  HeadLost: 'LOG_HEAD_LOST',
  Changed: 'LOG_CHANGED',
} as const satisfies Readonly<Record<OpenEvent['found'], string>>

const OPEN_TITLES = {
  Nothing: 'the audit log was begun',
  AsLeft: 'a process opened the audit log, and found it as it was left',
  HeadLost: 'a process opened the audit log, and found no signed head to its lines',
  Changed: 'a process opened the audit log, and found it not as it was left',
} as const satisfies Readonly<Record<OpenEvent['found'], string>>

/** What happened, in one short sentence of our own; only names of agents and states stand in it. */
export function titleTextOf(event: AuditEvent): string {
  switch (event.kind) {
    case 'verdict': {
      const [reason] = event.reasons
      return reason !== undefined && isReason(reason) ? reasonRow(reason).text : 'nothing was found'
    }
    case 'move':
      return event.from === null ? `the agent is ${event.to}` : `the agent came from ${event.from} to ${event.to}`
    case 'issuance':
      return event.credential === 'X509Svid'
        ? 'a certificate was signed for the agent'
        : 'a token was signed for the agent'
    case 'key-use':
      return "a provider's key was put into a request of the agent"
    case 'open':
      return OPEN_TITLES[event.found]
    case 'ca':
      return event.from === null
        ? `a signing key of the CA was made (${event.to})`
        : `a signing key of the CA came from ${event.from} to ${event.to}`
  }
}

/** True for what a person may want to look at: a verdict with more than an Allow, a log that was changed. */
export function isFinding(event: AuditEvent): boolean {
  if (event.kind === 'open') return event.found === 'Changed' || event.found === 'HeadLost'
  return event.kind === 'verdict' && event.action !== 'Allow'
}

/** What the first reason of an event guards against; null where it has none. */
export function taxonomyOfEvent(event: AuditEvent): Taxonomy | null {
  if (event.kind === 'open') return isFinding(event) ? taxonomyOf('AUDIT_UNAVAILABLE') : null
  return event.kind === 'verdict' || event.kind === 'move' ? taxonomyOf(codeOf(event)) : null
}

/** What an `open` event tells, flat. */
export function openDetails(event: OpenEvent): Readonly<Record<string, string | number>> {
  const { stream, key, found, earlier, head } = event
  const signed = head === null ? {} : { headSeq: head.seq, headHash: head.hash, headTime: head.time }
  return { stream, key, found, earlier: earlier.length, ...signed }
}

/** All ids of a taxonomy, list after list, as flat labels that say whose they are: `LLM06:2025`, `OWASP T2`. */
export function labelsOf(taxonomy: Taxonomy): readonly string[] {
  return FRAMEWORK_KEYS.flatMap((key) => taxonomy[key].map((id) => FRAMEWORKS[key].prefix + id))
}

/**
 * The time of an event, ms since 1970.
 * @throws SallyportError STATE_UNAVAILABLE for a time that is none: the line was not written by the audit log.
 */
export function timeMsOf(event: AuditEvent): number {
  const ms = Date.parse(event.time)
  if (Number.isNaN(ms))
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `event ${event.id} has no time (RFC 3339); see "sallyctl audit verify"`,
    )
  return ms
}
