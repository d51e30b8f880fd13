/**
 * session: what the path remembers between two requests of an agent.
 *
 * In:  refused calls, as the dialect wrote them down; calls that were released; sessions that tool servers opened.
 * Out: the same record when the conversation comes again with the refusal in it; which calls of a history its agent
 *      was never given; whose session it is.
 * Never: another agent's record; more than its share of memory; a decision. WIRE.md rule 11.
 */

export { newReleasedCalls, type ReleasedCalls, type ReleasedCallsOptions } from './released-calls.ts'
export { newRestoreRecords, type RestoreRecords } from './restore-records.ts'
export { newServerSessions, type ServerSessions } from './server-sessions.ts'
