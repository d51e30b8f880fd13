import { type AgentKey, type AuditEvent, FRAMEWORKS, isReason, reasonRow, titleOf } from '#pkg/model'
import { type ExportProduct, SCHEMA_VERSIONS, spiffeIdOf } from './contract.ts'
import {
  codeOf,
  isFinding,
  labelsOf,
  openDetails,
  SEVERITIES,
  severityOf,
  taxonomyOfEvent,
  timeMsOf,
  titleTextOf,
} from './grade.ts'
import { outcomeOf, passed } from './outcome.ts'
import { jsonLine } from './text.ts'

type Json = { readonly [name: string]: unknown }

/** How each kind is sorted: `event.category`, `event.type`, `event.action`. */
type Sorted = { readonly category: readonly string[]; readonly type: readonly string[]; readonly action: string }

/** One event as a line of ECS JSON. */
export function ecsLine(event: AuditEvent, product: ExportProduct): string {
  const sorted = sortedOf(event)
  return jsonLine({
    '@timestamp': new Date(timeMsOf(event)).toISOString(),
    ecs: { version: SCHEMA_VERSIONS.ecs },
    message: (event.kind === 'verdict' && event.message !== '' ? event.message : null) ?? titleTextOf(event),
    event: {
      id: event.id,
      kind: isFinding(event) ? 'alert' : 'event',
      ...sorted,
      outcome: failed(event) ? 'failure' : 'success',
      code: codeOf(event),
      reason: reasonOf(event),
      severity: SEVERITIES[severityOf(event)].ten,
      module: 'sallyport',
      dataset: 'sallyport.audit',
      duration: event.kind === 'verdict' ? event.us * 1_000 : undefined,
    },
    observer: { vendor: product.vendor, product: product.name, version: product.version, type: 'firewall' },
    ...whoOf(event, product),
    ...ruleOf(event),
    ...threatOf(event),
    labels: labelsOfEvent(event),
    tags: tagsOf(event),
  })
}

function failed(event: AuditEvent): boolean {
  return event.kind === 'verdict' ? !passed(outcomeOf(event)) : isFinding(event)
}

function sortedOf(event: AuditEvent): Sorted {
  switch (event.kind) {
    case 'verdict': {
      const stopped = !passed(outcomeOf(event))
      const action = `verdict-${event.action.toLowerCase()}`
      if (isFinding(event)) return { category: ['intrusion_detection'], type: [stopped ? 'denied' : 'allowed'], action }
      return { category: ['api'], type: ['access', 'allowed'], action }
    }
    case 'move':
      return {
        category: ['iam'],
        type: ['user', event.from === null ? 'creation' : event.to === 'Terminated' ? 'deletion' : 'change'],
        action: `agent-${event.to.toLowerCase()}`,
      }
    case 'issuance':
      return { category: ['iam'], type: ['user', 'creation'], action: 'credential-issued' }
    case 'key-use':
      return { category: ['api'], type: ['access'], action: 'provider-key-used' }
    case 'ca':
      return {
        category: ['configuration'],
        type: [event.from === null ? 'creation' : 'change'],
        action: `ca-key-${event.to.toLowerCase()}`,
      }
    case 'open':
      return isFinding(event)
        ? { category: ['intrusion_detection'], type: ['info'], action: 'audit-log-changed' }
        : { category: ['process'], type: ['start'], action: 'audit-log-opened' }
  }
}

function reasonOf(event: AuditEvent): string | undefined {
  if (event.kind === 'move' || event.kind === 'ca') return event.reason ?? undefined
  if (event.kind !== 'verdict') return undefined
  return event.reasons.length === 0 ? undefined : titleTextOf(event)
}

/** Who acted, upon whom, and which agent and tool it is about. `agent.*` of ECS is the shipper of logs, so it stays free. */
function whoOf(event: AuditEvent, product: ExportProduct): Json {
  if (event.kind === 'open') return {}
  if (event.kind === 'ca') return byOf(event.by, null)
  if (event.kind === 'move') {
    const agent = userOf(event.agent, product)
    return { ...byOf(event.by, agent), gen_ai: { agent } }
  }
  if (event.kind === 'issuance') {
    const agent = { id: event.spiffeId, name: event.agent }
    return { user: { target: agent }, gen_ai: { agent }, related: { user: [event.agent] } }
  }
  if (event.agent === null) return event.kind === 'verdict' ? toolOf(event.tool, {}) : {}
  const user = userOf(event.agent, product)
  const more = event.kind === 'verdict' ? toolOf(event.tool, { agent: user }) : { gen_ai: { agent: user } }
  return { user, related: { user: [event.agent] }, ...more }
}

function byOf(by: string | null, target: Json | null): Json {
  const names = [by, target?.['name']].filter((name) => name !== null && name !== undefined)
  if (names.length === 0) return {}
  return { user: { name: by ?? undefined, target: target ?? undefined }, related: { user: names } }
}

function userOf(agent: AgentKey, product: ExportProduct): Json {
  return { id: spiffeIdOf(agent, product) ?? agent, name: agent }
}

function toolOf(tool: string | null, more: Json): Json {
  if (tool === null && Object.keys(more).length === 0) return {}
  return { gen_ai: { ...more, tool: tool === null ? undefined : { name: tool } } }
}

function ruleOf(event: AuditEvent): Json {
  if (event.kind !== 'verdict' || !isFinding(event)) return {}
  const [reason] = event.reasons
  return {
    rule: {
      id: codeOf(event),
      name: event.rule ?? undefined,
      ruleset: event.policy ?? undefined,
      category: event.check ?? undefined,
      description: reason !== undefined && isReason(reason) ? reasonRow(reason).text : undefined,
      version: String(event.generation),
    },
  }
}

function threatOf(event: AuditEvent): Json {
  const atlas = taxonomyOfEvent(event)?.atlas ?? []
  if (atlas.length === 0) return {}
  return {
    threat: {
      framework: FRAMEWORKS.atlas.name,
      technique: { id: atlas, name: atlas.map((id) => titleOf('atlas', id) ?? id) },
    },
  }
}

function tagsOf(event: AuditEvent): readonly string[] {
  const taxonomy = taxonomyOfEvent(event)
  return taxonomy === null ? ['sallyport'] : ['sallyport', taxonomy.class, ...labelsOf(taxonomy)]
}

/** What ECS has no field for. Every value is a keyword. */
function labelsOfEvent(event: AuditEvent): Readonly<Record<string, string>> {
  const { kind } = event
  const labels: Record<string, string> = { kind }
  const members: Json = event.kind === 'open' ? openDetails(event) : event
  for (const name of LABELS[kind]) {
    const value = members[name]
    if (value === null || value === undefined || value === '') continue
    labels[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = Array.isArray(value)
      ? value.join(' ')
      : String(value)
  }
  return labels
}

/** Members of an event that become labels. */
const LABELS: {
  readonly [K in Exclude<AuditEvent['kind'], 'open'>]: readonly (keyof Extract<AuditEvent, { readonly kind: K }>)[]
} & { readonly open: readonly string[] } = {
  verdict: ['action', 'enforced', 'direction', 'dialect', 'session', 'reasons', 'epoch', 'generation', 'caller'],
  move: ['from', 'to', 'epoch', 'source', 'code', 'verdictId'],
  issuance: ['credential', 'serial', 'notAfter', 'epoch', 'slot', 'audience'],
  'key-use': ['provider', 'key'],
  ca: ['authority', 'slot', 'from', 'to'],
  open: ['stream', 'key', 'found', 'earlier', 'headSeq', 'headHash', 'headTime'],
}
