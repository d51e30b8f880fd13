import type { Limits, Reason } from '#pkg/model'

/** What SQL can be seen to do. A subset of the intents of `#pkg/model`. */
export type SqlIntent = 'sql.read' | 'sql.write' | 'sql.ddl' | 'shell.exec' | 'fs.read' | 'fs.write' | 'net.egress'

/** What the Postgres grammar says about one whole SQL text. `detail` holds statement kinds and limits, no payload. */
export type SqlReading =
  | {
      readonly ok: true
      readonly intents: readonly SqlIntent[]
      readonly statements: number
      /** True for a text that only computes: `SELECT 1`, without a table or a function that does something. */
      readonly bareExpression: boolean
      readonly detail: string
    }
  | {
      readonly ok: false
      readonly reason: 'INTENT_SQL_UNPARSABLE' | 'INTENT_SQL_TOO_LARGE' | 'CHECK_TIMEOUT' | 'CHECK_FAILED'
      readonly detail: string
    }

/** The class of a statement that is still being written; `at` is the UTF-16 offset in the SQL text that fixed it. */
export type SqlClass = { readonly intent: 'sql.read' | 'sql.write' | 'sql.ddl'; readonly at: number; readonly detail: string }

/** Follows one SQL text while it streams. */
export interface SqlFollower {
  /** More decoded text. Answers once a statement's class is fixed so that no continuation could be less; else null. Once per statement. */
  push(text: string): SqlClass | null
}

/** Reads SQL. Implemented by `path/firewall/sql` and the worker; plugged in by the plane. */
export interface SqlReader {
  /** Judges the whole text by the grammar. Never rejects: faults are results. */
  read(sql: string): Promise<SqlReading>
  follow(): SqlFollower
}

/** Why a JSON text is refused. `at` is the UTF-16 offset of the unit that made it undeniable. */
export type JsonFault = { readonly reason: Reason; readonly at: number; readonly detail: string }

/** What a {@link JsonFollower} tells while it reads. Every member may be left out. */
export type JsonListener = {
  /** A piece of a decoded string value whose innermost key is `key` (null inside no object); `end` with its last piece, which may be empty. */
  readonly string?: (piece: string, key: string | null, end: boolean) => void
}

/** Reads one JSON text strictly and incrementally, each unit once. `#pkg/path/codec/wire/json` has it; plugged in by the plane. */
export interface JsonFollower {
  /** The first fault, or null. After a fault it takes no more. */
  push(text: string): JsonFault | null
  /** True once one whole value has been read. */
  readonly complete: boolean
  /** The fault of a text that ends here, or null. */
  end(): JsonFault | null
}

/** Makes a {@link JsonFollower}. */
export type NewJsonFollower = (limits: Pick<Limits, 'argumentBytes' | 'jsonDepth'>, listener: JsonListener) => JsonFollower

/** What the firewall needs of others. */
export type FirewallDeps = {
  readonly sql: SqlReader
  readonly newJson: NewJsonFollower
}
