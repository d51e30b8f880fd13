/**
 * session: what the path remembers between two requests of an agent.
 *
 * In:  refused calls, as the dialect wrote them down; sessions that tool servers opened.
 * Out: the same record when the conversation comes again with the refusal in it; whose session it is.
 * Never: another agent's record; more than its share of memory; a decision. WIRE.md rule 11.
 */

export { newRestoreRecords, type RestoreRecords } from './restore-records.ts'
export { newServerSessions, type ServerSessions } from './server-sessions.ts'
