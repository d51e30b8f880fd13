import type { OpenEvent } from '#pkg/model'
import type { ExportProduct } from './contract.ts'
import { codeOf, isFinding, openDetails, taxonomyOfEvent, titleTextOf } from './grade.ts'
import { base, type Json, tagsOf } from './ocsf-parts.ts'
import { OCSF_OUTCOMES } from './outcome.ts'

/** A start of the application, or a Detection Finding where the log was not as it was left. */
export function openJson(event: OpenEvent, product: ExportProduct): Json {
  if (isFinding(event)) return finding(event, product)
  return {
    ...base(event, product, { of: 'lifecycle', activity: [3, 'Start'] }),
    status_id: 1,
    status: 'Success',
    message: titleTextOf(event),
    app: { name: product.name, vendor_name: product.vendor, version: product.version },
    unmapped: openDetails(event),
  }
}

function finding(event: OpenEvent, product: ExportProduct): Json {
  const { action, disposition } = OCSF_OUTCOMES.Detected
  const taxonomy = taxonomyOfEvent(event)
  const code = codeOf(event)
  return {
    ...base(event, product, { of: 'finding', activity: [1, 'Create'], profiles: ['security_control'] }),
    action_id: action[0],
    action: action[1],
    disposition_id: disposition[0],
    disposition: disposition[1],
    status_id: 1,
    status: 'New',
    status_code: code,
    message: titleTextOf(event),
    is_alert: true,
    finding_info: {
      uid: event.id,
      title: titleTextOf(event),
      types: taxonomy === null ? undefined : [taxonomy.class],
      created_time: Date.parse(event.time),
      analytic: { type_id: 1, type: 'Rule', name: code, uid: code },
      tags: tagsOf(taxonomy),
    },
    resources: [{ name: event.stream, type: 'Audit log', role_id: 3, role: 'Affected' }],
    unmapped: openDetails(event),
  }
}
