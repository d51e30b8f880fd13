import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '#pkg/platform/clock'
import type { OpenMetrics } from '#pkg/platform/metrics'
import type { Texts } from './lines.ts'
import type { AdminSource } from './ports.ts'
import type { RouteDoc } from './route-doc.ts'
import type { Sessions } from './sessions.ts'
import type { Tally } from './tally.ts'

/** What the routes of the page need. `url` of the TCP side, which is where a browser can ask. */
export type Dashboard = {
  readonly sessions: Sessions
  readonly url: () => string
  /** The folder of the made page. Default: where the build puts it. */
  readonly dir?: string
}

/** What the routes answer from. */
export type RouteDeps = {
  readonly source: AdminSource
  readonly clock: Clock
  readonly version: string
  /** null = nothing is counted. */
  readonly metrics: OpenMetrics | null
  readonly texts: Texts
  /** Verdicts since the start. */
  readonly tally: Tally
  readonly limits: {
    readonly maxBodyBytes: number
    readonly followQueueBytes: number
    readonly maxFollowers: number
    readonly keepaliveMs: number
  }
  readonly ending: AbortSignal
  /** Streams that are followed now. */
  readonly followers: Set<ServerResponse>
  readonly dashboard: Dashboard
}

/** One request that was let in. `trusted` = over the Unix socket. `by` = who came in, and how, for the record. */
export type Call = {
  readonly deps: RouteDeps
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: string
  /** The variable segments of the path. */
  readonly parts: readonly string[]
  readonly trusted: boolean
  readonly by: string
}

/** One path; `{name}` is a variable segment. */
export type Served = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly answer: (call: Call) => Promise<void> | void
}

/** One path of the API, and what it promises. */
export type Route = Served & { readonly doc: RouteDoc }
