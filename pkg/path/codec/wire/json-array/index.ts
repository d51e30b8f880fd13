/**
 * wire/json-array: cuts a JSON array of objects that arrives in pieces into frames that keep their bytes.
 *
 * In:  chunks of an `application/json` body that streams as `[{…},{…}]`, decoded, cut anywhere; the cap of one element.
 * Out: Frame: one event for each element, with what stands before it (`[`, `,`, white space) in its `raw`; one event
 *      without data for the end of the array; faults. All `raw` in a row = what came in, byte for byte.
 *      The bytes that go before and behind an element of ours, so that the array stays one.
 *
 * Whether an element is JSON is for its reader to judge; where it ends is the same for every reader if it is.
 *
 * Never: drops, adds or re-orders a byte, waits for more of an element than its cap, repairs an array.
 */
export { type ArrayPlace, closeWith, elementFrame, leadOf, placeAfter } from './place.ts'
export { type JsonArraySplitter, newJsonArraySplitter } from './splitter.ts'
