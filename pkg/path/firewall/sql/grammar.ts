/** The PostgreSQL grammar. Pure: the same text gives the same tree. */
export type SqlGrammar = {
  /** The tree of all statements of `text`; or the character at which it stops to make sense, counted from 1, 0 = unknown. */
  parse(text: string): { readonly ok: true; readonly tree: unknown } | { readonly ok: false; readonly at: number }
  /** The tree of the PL/pgSQL body of one DO or CREATE FUNCTION; null if it does not parse. */
  parseProgram(statement: string): unknown
}

/** What is used of the library `libpg-query`, loaded. It comes in from outside, since it brings 2 MB of WASM with it. */
export type PgQueryLibrary = {
  parseSync(text: string): unknown
  parsePlPgSQLSync(text: string): unknown
}

/**
 * The grammar out of `libpg-query`.
 * @throws whatever the library throws that is not about the text, such as a stack that overflows: it must then not be
 * used any more, since it leaks what it held.
 */
export function newPostgresGrammar(library: PgQueryLibrary): SqlGrammar {
  return {
    parse(text) {
      try {
        return { ok: true, tree: library.parseSync(text) }
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'SqlError') throw error
        return { ok: false, at: positionOf(error) }
      }
    },
    parseProgram(statement) {
      try {
        return library.parsePlPgSQLSync(statement)
      } catch (error) {
        // for a body that does not parse it throws a plain Error
        if (!(error instanceof Error) || error.name !== 'Error') throw error
        return null
      }
    },
  }
}

function positionOf(error: Error): number {
  const details: unknown = 'sqlDetails' in error ? error.sqlDetails : null
  if (typeof details !== 'object' || details === null || !('cursorPosition' in details)) return 0
  return typeof details.cursorPosition === 'number' ? details.cursorPosition + 1 : 0
}
