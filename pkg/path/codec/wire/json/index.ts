/**
 * wire/json: strict JSON, whole or while it arrives.
 *
 * In:  text or bytes of an event, a body, or the arguments of a call in pieces; the caps; a profile (JsonProfile).
 * Out: the value, or the reason and the byte offset at which it became certain that no two clients would be sure to
 *      read the text in the same way: duplicate keys, forbidden keys, numbers out of range, halves of pairs, depth.
 *      While arguments arrive: what their strings hold, decoded, with the path of each (JsonListener).
 *
 * O(bytes), never reads a prefix twice, keeps the keys of open containers only. The value is always that of
 * `JSON.parse`, and what is accepted here is accepted there.
 *
 * Never: repairs a text, guesses an encoding, or puts content of the text into the detail of a fault.
 */
export { type AlikePlan, AlikeTexts } from './alike.ts'
export { foldKey, isDeceptiveName } from './keys.ts'
export {
  type ChunkedText,
  parseStrict,
  parseStrictBytes,
  parseStrictChunked,
  parseTextChunked,
  readBody,
  type Turns,
} from './parse.ts'
export type { JsonFault, JsonLimits, JsonProfile } from './profile.ts'
export { type JsonListener, type JsonScanner, newJsonScanner } from './scanner.ts'
export { elementSpans, type JsonSpan, valueSpan } from './spans.ts'
