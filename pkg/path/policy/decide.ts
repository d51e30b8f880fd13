import {
  type Finding,
  orderFindings,
  type Permit,
  passes,
  type Snapshot,
  type Standing,
  type Subject,
  type Verdict,
} from '#pkg/model'
import { actionOf, type Called, informs, isFirm } from './action-of.ts'

/** Everything that a decision rests on. */
export type Case = {
  /** The id under which the verdict will be found. */
  readonly id: string
  readonly subject: Subject
  readonly findings: readonly Finding[]
  /** null when no agent is known: then nothing is permitted. */
  readonly snapshot: Snapshot | null
  readonly standing: Standing | null
}

/** A verdict, and the permit if it lets the bytes through. */
export type Decision = { readonly verdict: Verdict; readonly permit: Permit | null }

/**
 * Decides one case. Pure and total: the earliest finding that refuses decides (WIRE.md rule 3), the policy says what
 * follows; findings that are let pass are on record and hide nothing. Without a known agent there is no permit.
 */
export function decide(given: Case): Decision {
  const { subject, snapshot, standing } = given
  const findings = orderFindings(given.findings)
  const lets = (finding: Finding): boolean =>
    passes(actionOf(finding, subject.kind, snapshot).action) || (snapshot?.mode === 'Audit' && !isFirm(finding))
  const deciding =
    findings.find((finding) => !lets(finding)) ?? findings.find((finding) => !informs(finding)) ?? findings[0] ?? null
  const called: Called =
    deciding === null ? { action: 'Allow', rule: null } : actionOf(deciding, subject.kind, snapshot)
  const open = deciding === null || lets(deciding)
  const audit = deciding !== null && open && !passes(called.action)
  const rule = ruleOf(deciding, called)
  const verdict: Verdict = {
    id: given.id,
    subject,
    action: called.action,
    enforced: !audit,
    findings,
    reason: deciding?.reason ?? null,
    check: deciding?.check ?? null,
    policy: deciding?.rule?.policy ?? called.rule?.source.policy ?? null,
    rule,
    message: deciding === null ? '' : messageOf(given.id, subject, deciding),
  }
  const permit = open && snapshot !== null && standing !== null ? permitFor(snapshot, standing) : null
  return { verdict, permit }
}

/** The one place where a permit is made. */
function permitFor(snapshot: Snapshot, standing: Standing): Permit {
  const grant = { agent: snapshot.agent, epoch: standing.epoch, generation: snapshot.generation }
  return grant as Permit // the brand is a type only, and this is where it is given
}

/** Is the permit still worth something? Compared at every write. WIRE.md §4. */
export function isLive(permit: Permit, snapshot: Snapshot | null, standing: Standing | null): boolean {
  return (
    snapshot !== null &&
    standing !== null &&
    standing.state === 'Active' &&
    standing.thawing !== true &&
    permit.agent === snapshot.agent &&
    permit.epoch === standing.epoch &&
    permit.generation === snapshot.generation
  )
}

function ruleOf(deciding: Finding | null, called: Called): string | null {
  const found = deciding?.rule?.path ?? null
  const violated = called.rule?.source.path ?? null
  if (found !== null && violated !== null) return `${found}, ${violated}`
  return found ?? violated
}

/** The refusal contract of DESIGN §6: no payload, and a tool's name only where it may be printed. */
function messageOf(id: string, subject: Subject, finding: Finding): string {
  const policy = finding.rule === null ? '' : ` (policy ${finding.rule.policy})`
  return `sallyport: ${finding.reason}: ${labelOf(subject)} ${finding.detail}${policy}. Verdict ${id}. Ask: sallyctl policy explain ${id}`
}

function labelOf(subject: Subject): string {
  if (subject.kind === 'request') return 'the request'
  if (subject.kind === 'stream') return 'the answer'
  if (subject.kind === 'ask') return "the server's request"
  if (subject.kind === 'list') return 'the list of tools'
  if (subject.kind === 'said') return 'the message'
  if (subject.kind === 'card') return 'the agent card'
  return subject.named && subject.tool !== null ? `tool "${subject.tool}"` : `tool call #${subject.ordinal}`
}
