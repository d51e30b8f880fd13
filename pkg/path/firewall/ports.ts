import type { AgentRef, Reason, ToolPage } from '#pkg/model'

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
export type SqlClass = {
  readonly intent: 'sql.read' | 'sql.write' | 'sql.ddl'
  readonly at: number
  readonly detail: string
}

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

/** Why a JSON text is refused. `at` is the UTF-8 byte offset at which it became certain that it is. */
export type JsonFault = { readonly reason: Reason; readonly at: number; readonly detail: string }

/** Told what a string *value* holds while it arrives. */
export type JsonListener = {
  /** Where the value stands: keys (decoded) and positions in arrays. The array is reused: copy what you keep. */
  readonly stringStart?: (path: readonly (string | number)[]) => void
  /** Decoded content: raw text that stands in the source from byte `at` to `end`, or the one character of an escape there. */
  readonly stringPiece?: (text: string, at: number, end: number) => void
  readonly stringEnd?: (end: number) => void
}

/** Reads one JSON text strictly and incrementally, each unit once. */
export interface JsonFollower {
  /** The first fault, or null. After a fault always that fault. */
  push(text: string): JsonFault | null
  /** The fault of a text that ends here, or null. */
  end(): JsonFault | null
}

/** Makes a {@link JsonFollower}. Fits `newJsonScanner` of `#pkg/path/codec/wire/json`; the plane plugs it in. */
export type NewJsonFollower = (
  limits: { readonly depth: number; readonly bytes: number },
  listener: JsonListener,
  profile: 'arguments' | 'envelope',
) => JsonFollower

/** Whose list of tools it is: the entry of a policy, by the namespace of that policy. */
export type ServerKey = { readonly namespace: string; readonly name: string }

/** How a list of tools differs from what is pinned, or has no end. Names are as the server gave them. */
export type ToolDifference = {
  readonly kind: 'added' | 'removed' | 'changed' | 'doubled' | 'other-list' | 'endless'
  readonly tool: string
  /** Where a changed descriptor differs: keys and positions, no values. */
  readonly paths: readonly string[]
}

/** Remembers which tools servers have. Implemented by `systems/pins`; plugged in by the plane. */
export interface ToolMemory {
  /**
   * Takes one page of a listing, and pins the whole list at its first use. Throws when that cannot be made to last.
   * `pin`: the digest that a policy asks for, or null.
   */
  compare(
    server: ServerKey,
    listing: { readonly agent: AgentRef; readonly page: ToolPage; readonly pin: string | null },
  ): readonly ToolDifference[]
  /** True for a tool that was not as pinned when its server last listed it. */
  drifted(server: ServerKey, tool: string): boolean
  /** True while anything of this server is not as it was pinned. */
  hasDrifted(server: ServerKey): boolean
  /** When this server got a tool of this name pinned: a number that grows; null = it has none. */
  pinnedSince(server: ServerKey, tool: string): number | null
}

/** What the firewall needs of others. */
export type FirewallDeps = {
  /** Undefined where no tool server is ever asked: then a list of tools is in doubt. */
  readonly tools?: ToolMemory
  /** Addresses of peers in the place of those that policies name. Default none. */
  readonly peerUrls?: Readonly<Record<string, string>>
  readonly sql: SqlReader
  readonly newJson: NewJsonFollower
}
