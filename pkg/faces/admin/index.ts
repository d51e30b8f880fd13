/**
 * admin: the HTTP API of one process, for people and programs that run it.
 *
 * In:  requests over `127.0.0.1` with the printed bearer token, or over a Unix socket that only its owner can open.
 * Out: agents and their state, effective policies with provenance, verdicts (history and live), and which rule would
 *      decide a call; the lives of agents, moved by verbs; counts and measures. JSON, one JSON object a line, server-sent
 *      events, or Prometheus text. What each route promises stands beside it, and the OpenAPI document is made of that.
 * A browser cannot be made to ask by another page: the Host header must name the loopback address, no CORS header is ever
 * sent, tokens are compared in constant time, and there is no cookie; the dashboard gets a token of its own for a code.
 * Bodies, connections, followers and their queues are bounded. DESIGN §8.
 *
 * Never: changes anything but by a POST with a JSON body, shows an agent's token over TCP, logs a token or a payload.
 */

export { ADMIN_SOCKET, type Admin, type AdminDeps, type AdminOptions, startAdmin } from './admin.ts'
export type { AgentAnswer, MoveRecord } from './agents.ts'
export type { DashboardCodeAnswer, DashboardSessionAnswer } from './dashboard.ts'
export type { Explanation, HostRequest } from './explain.ts'
export { type CaAnswer, type IdentityAnswer, SELF_PATH, type SelfAnswer } from './identity.ts'
export { inFieldOrder } from './lines.ts'
export type { MoveAnswer } from './moves.ts'
export type {
  AdminSource,
  Advice,
  AgentStatus,
  MoveAsk,
  MoveDone,
  MoveVerb,
  PolicyFault,
  VerdictFilter,
} from './ports.ts'
export type { FacadeAnswer, HealthAnswer, VersionAnswer } from './process.ts'
export { readSince, readVerdictQuery } from './query.ts'
export { adminOpenApi, ROUTE_LABELS } from './routes.ts'
export type { SummaryAnswer } from './summary.ts'
