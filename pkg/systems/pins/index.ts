/**
 * pins: which tools a server had when it was first used, and whether it still has them.
 *
 * In:  pages of the lists that servers give, by policy entry and agent; the digest that a policy asks for, if it does.
 * Out: how a list differs from what is pinned, tool by tool and place by place; a line in the log with the digest of a
 *      new pin, and with the difference of a list that drifted. The pins last: one file for each entry in `DIR/pins`.
 * What a server describes is data: it is digested and compared, never compiled, shown or run.
 *
 * Never: a decision, the text of a descriptor in the log, more memory or disk than its limits.
 */
export type { ListedTool, ListingPage, PinnedServer, ToolDifference } from './contract.ts'
export { digestOf, listDigestOf } from './digest.ts'
export { newToolPins, type ToolPins } from './tool-pins.ts'
