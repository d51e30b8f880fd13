/**
 * enforce: carries out verdicts on answers, and on calls that a request carries: holds, releases, replaces, ends.
 *
 * In:  frames of a streamed answer (or a whole answer), a Judge that decides, the Surroundings of the exchange.
 * Out: the bytes that may leave, in their original order; the verdict that ended the answer, if one did; the register
 *      of every open exchange, so that a kill cuts them all in one turn.
 * Holds at most `heldBytesPerStream` for one answer and `heldBytesPerProcess` for all; over that the answer ends.
 *
 * Never: decides, writes to a socket, knows a protocol or a policy. WIRE.md §1 rules 2 to 8, MESH.md §2.
 */
export { type Exchanges, newExchanges, type OpenExchange } from './exchanges.ts'
export { Gate, type GateParts } from './gate.ts'
export { type HeldBudget, newHeldBudget } from './held-budget.ts'
export type { Judge, Surroundings } from './ports.ts'
export { relayBytes, type Sides, type TunnelWatch } from './tunnel.ts'
export { type ActsResult, judgeActs, judgeWhole, type WholeResult } from './whole.ts'
