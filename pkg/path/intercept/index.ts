/**
 * intercept: accepts the agents' connections and hands each request on, whole, checked and one at a time.
 *
 * In:  sockets on the facade's address; rules of HTTP and a decoder through `ports.ts`.
 * Out: for each request an Ask (framing checked, body whole, below its cap and decoded) and the ClientLeg by which it
 *      is answered; for what could not be read a reason, so that a verdict is written before the answer.
 * HTTP/1.1: one exchange at a time per connection, answers in the order of the requests. HTTP/2: each stream is one. A client that goes away is noticed at
 * once, also while nothing is being sent; one that does not read holds at most one socket buffer.
 *
 * Never: judges, answers a readable request by itself, lets bytes of one exchange reach another, repairs a request.
 */
export { type Facade, newFacade } from './facade.ts'
export type { FacadeOptions } from './options.ts'
export type { DecodeBody, FacadeDeps, Fault, Http2Rules, RejectedAsk, RequestRules } from './ports.ts'
export type { FacadeBase } from './routes.ts'
