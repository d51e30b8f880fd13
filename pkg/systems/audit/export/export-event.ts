import { ACTIONS, type AuditEvent, CA_SLOT_STATES, LIFECYCLE_STATES } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { cefLine } from './cef.ts'
import type { ExportFormat, ExportProduct } from './contract.ts'
import { ecsLine } from './ecs.ts'
import { FOUND_SEVERITIES } from './grade.ts'
import { ocsfLine } from './ocsf.ts'

const LINES: Readonly<Record<ExportFormat, (event: AuditEvent, product: ExportProduct) => string>> = {
  ocsf: ocsfLine,
  cef: cefLine,
  ecs: ecsLine,
}

/**
 * One event as one line, without its line feed. Pure: the same event and product always make the same line, of printable
 * characters alone. Only the members of the event that DESIGN §14 names are in it.
 * @throws SallyportError STATE_UNAVAILABLE for an event of a kind, action or state that this version does not know, or
 * without a time.
 */
export function exportEvent(format: ExportFormat, event: AuditEvent, product: ExportProduct): string {
  if (!isKnown(event))
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `event ${event.id} was written by another version; export it with that one`,
    )
  return LINES[format](event, product)
}

/** A log of a newer version may hold what this one has no word for. */
function isKnown(event: AuditEvent): boolean {
  switch (event.kind) {
    case 'verdict':
      return ACTIONS.includes(event.action) && Array.isArray(event.reasons)
    case 'move':
      return LIFECYCLE_STATES.includes(event.to)
    case 'ca':
      return CA_SLOT_STATES.includes(event.to)
    case 'open':
      return Object.hasOwn(FOUND_SEVERITIES, event.found) && Array.isArray(event.earlier)
    case 'issuance':
    case 'key-use':
      return true
    default:
      return false
  }
}
