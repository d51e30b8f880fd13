/**
 * sql: what SQL does, by the grammar of PostgreSQL.
 *
 * In:  one SQL text, whole or while it streams; the grammar, as a loaded library, or a pool whose worker has it.
 * Out: the intents of everything that the text does, all statements and the whole tree of each together; while it
 *      streams, the class of each statement at the first unit after the word that fixes it.
 * What cannot be told (a text that is run as code and is no constant, a language that is not read, a node that no table
 * has) counts as everything. Where MySQL or SQLite would read the same text otherwise, what it does there comes on top.
 *
 * Never: the names and values of a text in what it says; the effect of functions that users define: a call to one is a
 *        read, since only the database knows its body. DESIGN §6, WIRE.md rule 3.
 */

export type { SqlReading } from '../ports.ts'
export { newSqlFollower } from './follow.ts'
export { newPostgresGrammar, type PgQueryLibrary, type SqlGrammar } from './grammar.ts'
export { readSql } from './read.ts'
export { newSqlReader, type SqlInline, type SqlJob, type SqlWorkers } from './reader.ts'
