import type { Reason } from '#pkg/model'

/**
 * How strictly a JSON text is judged beyond RFC 8259. Refused in all three: all that `JSON.parse` refuses, a byte
 * order mark, one key twice (escapes decoded), `__proto__`, nesting over the limit, numbers that are not finite,
 * number literals over 400 characters, invalid UTF-8 and lone surrogates.
 *
 * | beyond that                                          | arguments | chunk   | envelope |
 * |------------------------------------------------------|-----------|---------|----------|
 * | keys equal but for case or NFKC form                 | refused   | refused | passes   |
 * | `constructor`, `prototype`                           | refused   | passes  | passes   |
 * | keys with invisible, or only look-alike, characters  | refused   | passes  | passes   |
 * | beyond ±(2^53 - 1), `-0`, what rounds to zero        | refused   | passes  | passes   |
 * | half a surrogate pair at the border of a value       | refused   | passes  | refused  |
 *
 * - `arguments`: what a tool gets. Whatever two clients could read in two ways is refused.
 * - `chunk`: an answer or one piece of it. Providers with UTF-16 strings cut deltas inside a pair; the reader joins
 *   the deltas, and the halves are judged where they meet. Clients that ignore the case of keys exist.
 * - `envelope`: a request. Its tool schemas may name a property as they like, and seeds are big.
 */
export type JsonProfile = 'arguments' | 'chunk' | 'envelope'

/** The caps of one text: nested containers, and UTF-8 bytes (`Infinity` where the caller has capped it already). */
export type JsonLimits = { readonly depth: number; readonly bytes: number }

/** Why a text is refused. `at` is the UTF-8 byte offset at which it became certain that it is. */
export type JsonFault = { readonly reason: Reason; readonly at: number; readonly detail: string }

/** One column of the table of {@link JsonProfile}. */
export type ProfileRules = {
  readonly folds: boolean
  readonly strictKeys: boolean
  readonly strictNumbers: boolean
  readonly halves: boolean
  readonly tooLarge: Reason
}

/** {@link JsonProfile} as the code asks it. */
export const PROFILES: Readonly<Record<JsonProfile, ProfileRules>> = {
  arguments: {
    folds: true,
    strictKeys: true,
    strictNumbers: true,
    halves: false,
    tooLarge: 'WIRE_ARGUMENT_TOO_LARGE',
  },
  chunk: { folds: true, strictKeys: false, strictNumbers: false, halves: true, tooLarge: 'WIRE_FRAME_TOO_LARGE' },
  envelope: { folds: false, strictKeys: false, strictNumbers: false, halves: false, tooLarge: 'WIRE_BODY_TOO_LARGE' },
}
