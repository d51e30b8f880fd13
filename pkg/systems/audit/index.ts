/**
 * audit: the record of what was decided and done, written down before its effect is seen. DESIGN §14.
 *
 * In:  one VerdictRecord per judged call and per refused request; moves of agents, issuances, uses of provider keys, moves
 *      of CA keys.
 * Out: `DIR/audit.jsonl` (append-only JSON lines, 0600), one hash chain, whose newest end is signed in `DIR/audit.head`; read
 *      back oldest first across restarts and rotation; one verdict by its id; new ones as they come; and what `verifyAudit`
 *      finds changed, with no process running.
 * An event survives `kill -9` once it was written, and a power cut 200 ms later. A rotated file keeps its name for good:
 * `audit-000001.jsonl`, … Nothing is ever deleted. `verdicts*.jsonl` of older versions are read on, and pinned by digest.
 *
 * Never: payload, a key or a token; an append that failed in silence.
 */
export * from './audit-log.ts'
export * from './export/index.ts'
export { followAuditFile } from './follow-file.ts'
export type { AuditDisk } from './ports.ts'
export { auditFilesOf, lastAuditEvents, readAuditEvents, readAuditFile } from './read-events.ts'
export { MAX_READ_LIMIT, type VerdictFilter } from './verdict-history.ts'
export * from './verdict-ids.ts'
export * from './verify.ts'
