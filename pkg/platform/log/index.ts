/**
 * log: one JSON line per decision and per change of state, on stderr.
 *
 * In:  a level, and where the lines go.
 * Out: the Log that all rooms take through their deps; Secret, which prints `***` wherever it ends up.
 * Every line has `level`, `time` (RFC 3339) and `event` (kebab-case, stable), then the event's own fields. A reader
 * of stderr that is slow or gone never stops the process: beyond a bounded backlog lines are dropped and counted.
 *
 * Never: payload, tokens, keys; the records of verdicts (systems/audit).
 */
export * from './log.ts'
export * from './secret.ts'
