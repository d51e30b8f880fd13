/**
 * observed: what agents did that was let through, as far as a narrower policy can be made of it.
 *
 * In:  calls that no check objected to, and requests, from the plane; each in the turn after it was judged.
 * Out: `DIR/observed.json` (0600): for each agent its rules, models, servers, hosts, and for each tool the effects that
 *      its arguments showed, their shapes, and those that were always the same.
 * Of values only those are kept that never changed, are short, and do not look like a secret. All lists are bounded, and
 * what did not fit makes the suggestion say so. It is written at most every 2 s; a crash loses what came since.
 *
 * Never: on the way of a call, a refusal, evidence (that is `audit`), a text that an agent wrote beyond such values.
 */
export type { Observed, ObservedAgent, ObservedArgument, ObservedTool, ToolFrame } from './contract.ts'
export type { CallNote, RequestNote } from './note.ts'
export { type Observations, observedFileOf, openObserved, readObserved } from './observed.ts'
