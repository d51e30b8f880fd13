/**
 * audit: the record of every verdict, written down before its effect is seen.
 *
 * In:  one VerdictRecord per judged call and per refused request, from `path/enforce`.
 * Out: `DIR/verdicts.jsonl` (append-only JSON lines, 0600), read back oldest first across restarts and rotation, one
 *      record by id, and new ones as they come; and verdict ids that nobody can guess.
 * A record survives `kill -9` once `append` returned, and a power cut 200 ms later. A rotated file keeps its name for
 * good: `verdicts-000001.jsonl`, … Nothing is deleted unless `keepFiles` says so.
 *
 * Never: payload, an append that failed in silence.
 */
export * from './export/index.ts'
export type { AuditDisk } from './ports.ts'
export * from './verdict-ids.ts'
export * from './verdict-log.ts'
