/**
 * wire/shape: what a lenient client could make of parsed JSON.
 *
 * In:  parsed members of a request or an answer.
 * Out: typed looks at them; every text that they hold, by member or by place; whether a call could be rebuilt from what nobody
 *      defines; which members stand in a spelling that some reader takes for another; which refusals of ours stand in a
 *      text that came back.
 * Never: a provider's own words for what it defines (those stand in its dialect), a policy. WIRE.md rule 7.
 */
export { placedContent } from './placed.ts'
export { refusalsIn, verdictIdsIn } from './refusals.ts'
export {
  asArray,
  asObject,
  asText,
  hasStrayArguments,
  hidesCall,
  hidesCallBeside,
  isEmpty,
  type Json,
} from './shape.ts'
export { pushTexts, type TextPiece, textsOf } from './texts.ts'
export { named, type Places, places, twinIn, twinOf, wordsOf } from './twins.ts'
