/**
 * export: audit events in the words of others, for a SIEM.
 *
 * In:  one AuditEvent, a format, and who says it.
 * Out: one line: OCSF 1.8.0 JSON, CEF:0, or ECS 9.4.0 JSON, with the ids of `model/taxonomy` where something was found.
 * Pure, so that a replay makes the same lines and a sink can drop what it has. What the formats have no place for goes
 * where they say it may (`unmapped`, custom strings, labels).
 *
 * Never: I/O, a payload, a key, a character of an agent that ends the line.
 */
export { EXPORT_FORMATS, type ExportFormat, type ExportProduct, SCHEMA_VERSIONS } from './contract.ts'
export { exportEvent } from './export-event.ts'
export { ACTION_SEVERITIES, FOUND_SEVERITIES, SEVERITIES, SLOT_SEVERITIES, STATE_SEVERITIES } from './grade.ts'
export { MOVE_ACTIVITIES, SLOT_ACTIVITIES } from './ocsf.ts'
export { OCSF_OUTCOMES, outcomeOf } from './outcome.ts'
