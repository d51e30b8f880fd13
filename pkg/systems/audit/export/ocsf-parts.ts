import { type AgentKey, type AuditEvent, FRAMEWORK_KEYS, FRAMEWORKS, type Taxonomy, titleOf } from '#pkg/model'
import { type ExportProduct, SCHEMA_VERSIONS, spiffeIdOf } from './contract.ts'
import { codeOf, SEVERITIES, severityOf, timeMsOf } from './grade.ts'
import type { Coded } from './outcome.ts'

/** An object of OCSF as JSON. Members that are undefined are not written. */
export type Json = { readonly [name: string]: unknown }

/** The classes of OCSF that are used, with the captions of the schema. */
const OCSF_CLASSES = {
  finding: { uid: 2004, name: 'Detection Finding', category: [2, 'Findings'] },
  entity: { uid: 3004, name: 'Entity Management', category: [3, 'Identity & Access Management'] },
  lifecycle: { uid: 6002, name: 'Application Lifecycle', category: [6, 'Application Activity'] },
  api: { uid: 6003, name: 'API Activity', category: [6, 'Application Activity'] },
} as const satisfies Readonly<Record<string, { readonly uid: number; readonly name: string; readonly category: Coded }>>

/** What only a class and its activity say. */
export type OcsfKind = {
  readonly of: keyof typeof OCSF_CLASSES
  readonly activity: Coded
  /** The name of activity 99, which the schema leaves to the source. */
  readonly called?: string
  readonly profiles?: readonly string[]
  /** Shared by the events of one story. */
  readonly story?: string
}

/** The attributes that every event has. */
export function base(event: AuditEvent, product: ExportProduct, kind: OcsfKind): Json {
  const { uid, name, category } = OCSF_CLASSES[kind.of]
  const [activityId, caption] = kind.activity
  const severity = severityOf(event)
  return {
    time: timeMsOf(event),
    class_uid: uid,
    class_name: name,
    category_uid: category[0],
    category_name: category[1],
    activity_id: activityId,
    activity_name: kind.called ?? caption,
    type_uid: uid * 100 + activityId,
    type_name: `${name}: ${caption}`,
    severity_id: SEVERITIES[severity].ocsf,
    severity,
    metadata: {
      version: SCHEMA_VERSIONS.ocsf,
      profiles: kind.profiles,
      product: { name: product.name, vendor_name: product.vendor, version: product.version },
      uid: event.id,
      correlation_uid: kind.story,
      event_code: codeOf(event),
      log_name: 'audit',
      original_time: event.time,
    },
  }
}

/** An agent as the user that it is for others. */
export function agentUser(agent: AgentKey | null, product: ExportProduct, known?: string): Json {
  if (agent === null) return { name: 'unknown', uid: 'unknown', type_id: 0, type: 'Unknown' }
  return { name: agent, uid: idOf(agent, product, known), type_id: 4, type: 'Service' }
}

/** The SPIFFE ID of an agent where it is known, else its key. */
export function idOf(agent: AgentKey, product: ExportProduct, known?: string): string {
  return known ?? spiffeIdOf(agent, product) ?? agent
}

/** The techniques of MITRE ATLAS; undefined = none. */
export function attacksOf(taxonomy: Taxonomy | null): readonly Json[] | undefined {
  if (taxonomy === null || taxonomy.atlas.length === 0) return undefined
  return taxonomy.atlas.map((uid) => ({
    technique: { uid, name: titleOf('atlas', uid) ?? uid },
    version: FRAMEWORKS.atlas.version,
  }))
}

/** All other ids: one tag a list, named as it and its edition. */
export function tagsOf(taxonomy: Taxonomy | null): readonly Json[] | undefined {
  if (taxonomy === null) return undefined
  return FRAMEWORK_KEYS.filter((key) => key !== 'atlas' && taxonomy[key].length > 0).map((key) => ({
    name: `${FRAMEWORKS[key].name} ${FRAMEWORKS[key].version}`,
    values: taxonomy[key],
  }))
}

/** A text, or undefined where there is none: an empty text says nothing in OCSF. */
export function said(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text
}
