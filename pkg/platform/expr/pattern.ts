import { RE2JS } from 're2js'
import { Cache } from './cache.ts'

/** A compiled pattern: finds it anywhere in a text, in time linear to the text. */
export type Pattern = { test(text: string): boolean }

/** A pattern longer than this many UTF-16 units is refused. */
export const MAX_PATTERN_LENGTH = 1024

const patterns = new Cache<Pattern>(1024)

/** Compiles an RE2 pattern. Throws an Error, whose message names the fault, for one that RE2 does not know. Cached. */
export function compilePattern(source: string): Pattern {
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new Error(`the pattern is ${source.length} characters long, ${MAX_PATTERN_LENGTH} are allowed`)
  }
  return patterns.get(source, () => RE2JS.compile(source))
}
