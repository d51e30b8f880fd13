import { isReason, reasonRow, type VerdictEvent } from '#pkg/model'
import type { ExportProduct } from './contract.ts'
import { isFinding, taxonomyOfEvent, titleTextOf } from './grade.ts'
import { agentUser, attacksOf, base, type Json, said, tagsOf } from './ocsf-parts.ts'
import { OCSF_OUTCOMES, outcomeOf, passed } from './outcome.ts'

/** A Detection Finding where something was found, else an API Activity. */
export function verdictJson(event: VerdictEvent, product: ExportProduct): Json {
  return isFinding(event) ? finding(event, product) : activity(event, product)
}

function finding(event: VerdictEvent, product: ExportProduct): Json {
  const taxonomy = taxonomyOfEvent(event)
  const attacks = attacksOf(taxonomy)
  const kind = {
    of: 'finding',
    activity: [1, 'Create'],
    profiles: ['host', 'security_control'],
    story: event.id,
  } as const
  return {
    ...base(event, product, kind),
    ...control(event),
    message: said(event.message) ?? titleTextOf(event),
    status_id: 1,
    status: 'New',
    status_code: event.reasons[0],
    status_detail: event.reasons[0] === undefined ? undefined : titleTextOf(event),
    is_alert: !passed(outcomeOf(event)),
    actor: actorOf(event, product),
    attacks,
    finding_info: {
      uid: event.id,
      title: titleTextOf(event),
      types: taxonomy === null ? undefined : [taxonomy.class],
      created_time: Date.parse(event.time),
      analytic: analyticOf(event),
      attacks,
      tags: tagsOf(taxonomy),
    },
    evidences: [{ api: apiOf(event) }],
    resources: resourcesOf(event),
    unmapped: restOf(event),
  }
}

function activity(event: VerdictEvent, product: ExportProduct): Json {
  const kind = { of: 'api', activity: [99, 'Other'], profiles: ['security_control'], story: event.id } as const
  const user = agentUser(event.agent, product)
  return {
    ...base(event, product, { ...kind, called: event.direction }),
    ...control(event),
    message: said(event.message) ?? titleTextOf(event),
    status_id: 1,
    status: 'Success',
    is_alert: false,
    actor: actorOf(event, product),
    api: apiOf(event),
    src_endpoint: { name: user['name'], uid: user['uid'] },
    resources: resourcesOf(event),
    unmapped: restOf(event),
  }
}

/** The profile `security_control`. */
function control(event: VerdictEvent): Json {
  const { action, disposition } = OCSF_OUTCOMES[outcomeOf(event)]
  const policy = said(event.policy)
  const rule = said(event.rule)
  return {
    action_id: action[0],
    action: action[1],
    disposition_id: disposition[0],
    disposition: disposition[1],
    policy:
      policy === undefined
        ? undefined
        : { name: policy, uid: policy, version: String(event.generation), is_applied: event.enforced },
    firewall_rule:
      rule === undefined ? undefined : { name: rule, uid: `${policy ?? ''}#${rule}`, type: said(event.check) },
  }
}

function analyticOf(event: VerdictEvent): Json {
  const [reason] = event.reasons
  return {
    type_id: 1,
    type: 'Rule',
    name: reason ?? 'VERDICT',
    uid: reason ?? 'VERDICT',
    category: said(event.check),
    desc: reason !== undefined && isReason(reason) ? reasonRow(reason).text : undefined,
  }
}

function actorOf(event: VerdictEvent, product: ExportProduct): Json {
  const session = said(event.session)
  return { user: agentUser(event.agent, product), session: session === undefined ? undefined : { uid: session } }
}

function apiOf(event: VerdictEvent): Json {
  return { operation: said(event.tool) ?? event.direction, service: { name: said(event.dialect) ?? 'unknown' } }
}

/** The tool, and the agent on whose behalf it was. */
function resourcesOf(event: VerdictEvent): readonly Json[] | undefined {
  const tool = said(event.tool)
  const caller = said(event.caller)
  const rows: readonly Json[] = [
    ...(tool === undefined ? [] : [{ name: tool, type: 'Tool', role_id: 1, role: 'Target' }]),
    ...(caller === undefined ? [] : [{ name: caller, uid: caller, type: 'Agent', role_id: 4, role: 'Related' }]),
  ]
  return rows.length === 0 ? undefined : rows
}

/** What the schema has no place for. */
function restOf(event: VerdictEvent): Json {
  return {
    verdict_action: event.action,
    enforced: event.enforced,
    direction: event.direction,
    reasons: event.reasons,
    check: event.check ?? undefined,
    generation: event.generation,
    epoch: event.epoch,
    judgement_us: event.us,
  }
}
