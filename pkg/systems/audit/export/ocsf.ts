import type {
  AuditEvent,
  CaEvent,
  CaSlotState,
  IssuanceEvent,
  KeyUseEvent,
  LifecycleState,
  MoveEvent,
} from '#pkg/model'
import type { ExportProduct } from './contract.ts'
import { taxonomyOfEvent, titleTextOf } from './grade.ts'
import { openJson } from './ocsf-open.ts'
import { agentUser, attacksOf, base, idOf, type Json, said, tagsOf } from './ocsf-parts.ts'
import { verdictJson } from './ocsf-verdict.ts'
import type { Coded } from './outcome.ts'
import { jsonLine } from './text.ts'

/** One event as a line of OCSF JSON. */
export function ocsfLine(event: AuditEvent, product: ExportProduct): string {
  return jsonLine(ocsfJson(event, product))
}

function ocsfJson(event: AuditEvent, product: ExportProduct): Json {
  switch (event.kind) {
    case 'verdict':
      return verdictJson(event, product)
    case 'move':
      return moveJson(event, product)
    case 'issuance':
      return issuanceJson(event, product)
    case 'key-use':
      return keyUseJson(event, product)
    case 'ca':
      return caJson(event, product)
    case 'open':
      return openJson(event, product)
  }
}

const DONE = { status_id: 1, status: 'Success' } as const

/** What a move does to the account of an agent. A release from a hold resumes, the first one activates. */
export const MOVE_ACTIVITIES = {
  Provisioned: [1, 'Create'],
  Active: [10, 'Activate'],
  Quarantined: [9, 'Disable'],
  Suspended: [12, 'Suspend'],
  Terminated: [4, 'Delete'],
} as const satisfies Readonly<Record<LifecycleState, Coded>>

const RESUME: Coded = [13, 'Resume']

function moveJson(event: MoveEvent, product: ExportProduct): Json {
  const taxonomy = taxonomyOfEvent(event)
  const resumed = event.to === 'Active' && (event.from === 'Quarantined' || event.from === 'Suspended')
  const attacks = attacksOf(taxonomy)
  const user = agentUser(event.agent, product)
  const entity = (data: Json): Json => ({
    name: event.agent,
    uid: idOf(event.agent, product),
    type_id: 2,
    type: 'User',
    user,
    data,
  })
  return {
    ...base(event, product, {
      of: 'entity',
      activity: resumed ? RESUME : MOVE_ACTIVITIES[event.to],
      profiles: ['security_control'],
      ...(event.verdictId === null ? {} : { story: event.verdictId }),
    }),
    ...DONE,
    status_code: said(event.code),
    message: titleTextOf(event),
    comment: said(event.reason),
    actor: actorOf(event.by, event.source),
    entity: entity({ state: event.from ?? 'unknown' }),
    entity_result: entity({ state: event.to, epoch: event.epoch }),
    is_alert: event.to === 'Quarantined',
    attacks,
    enrichments: taxonomy === null ? undefined : enrichmentsOf(event.code ?? '', taxonomy.class, tagsOf(taxonomy)),
    unmapped: { source: event.source },
  }
}

/** In this class no attribute holds tags of what was found: they come as an enrichment of the code. */
function enrichmentsOf(code: string, type: string, tags: readonly Json[] | undefined): readonly Json[] {
  return [{ name: 'status_code', value: code, type: 'taxonomy', short_desc: type, data: { class: type, tags } }]
}

function issuanceJson(event: IssuanceEvent, product: ExportProduct): Json {
  const credential = event.credential === 'X509Svid' ? 'X.509-SVID' : 'JWT-SVID'
  return {
    ...base(event, product, { of: 'entity', activity: [1, 'Create'] }),
    ...DONE,
    message: titleTextOf(event),
    actor: { app_name: product.name, app_uid: event.slot },
    entity: {
      name: credential,
      uid: event.serial,
      type_id: 99,
      type: 'Credential',
      user: agentUser(event.agent, product, event.spiffeId),
      data: { not_after: event.notAfter, epoch: event.epoch, slot: event.slot, audience: event.audience ?? undefined },
    },
  }
}

function keyUseJson(event: KeyUseEvent, product: ExportProduct): Json {
  const user = agentUser(event.agent, product)
  return {
    ...base(event, product, { of: 'api', activity: [2, 'Read'] }),
    ...DONE,
    message: titleTextOf(event),
    actor: { user },
    api: {
      operation: 'use-key',
      service: { name: said(event.provider) ?? 'unknown' },
      token: { name: event.key, type_id: 7, type: 'API Token' },
    },
    src_endpoint: { name: user['name'], uid: user['uid'] },
    resources: [{ name: event.key, type: 'Provider key', role_id: 1, role: 'Target' }],
  }
}

/** What a move does to a signing key of the CA. */
export const SLOT_ACTIVITIES = {
  Prepared: [1, 'Create'],
  Published: [8, 'Enable'],
  Active: [10, 'Activate'],
  Retired: [11, 'Deactivate'],
  Tainted: [9, 'Disable'],
  Revoked: [4, 'Delete'],
} as const satisfies Readonly<Record<CaSlotState, Coded>>

function caJson(event: CaEvent, product: ExportProduct): Json {
  const entity = (state: string): Json => ({
    name: `${event.authority} ${event.slot}`,
    uid: event.slot,
    type_id: 99,
    type: 'CA signing key',
    data: { state, authority: event.authority },
  })
  return {
    ...base(event, product, { of: 'entity', activity: SLOT_ACTIVITIES[event.to] }),
    ...DONE,
    message: titleTextOf(event),
    comment: said(event.reason),
    actor: actorOf(event.by, product.name),
    entity: entity(event.from ?? 'none'),
    entity_result: entity(event.to),
  }
}

/** A person or an account, and what they asked through. */
function actorOf(by: string | null, app: string): Json {
  const name = said(by)
  return { app_name: app, user: name === undefined ? undefined : { name, uid: name, type_id: 0, type: 'Unknown' } }
}
