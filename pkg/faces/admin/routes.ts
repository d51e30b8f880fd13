import { AGENT_ROUTES } from './agents.ts'
import { sendJson } from './answers.ts'
import type { Call, Route } from './call.ts'
import { EVENT_ROUTES } from './events.ts'
import { EXPLAIN_ROUTES } from './explain.ts'
import { facade } from './facade.ts'
import { IDENTITY_ROUTES } from './identity.ts'
import { METRICS_ROUTES } from './metrics.ts'
import { MOVE_ROUTES } from './moves.ts'
import type { PolicyFault } from './ports.ts'
import { readQuery } from './query.ts'
import { summary } from './summary.ts'
import { VERDICT_ROUTES } from './verdicts.ts'

/** `GET /healthz`; 503 when not ok. `policyFaults` are those of the newest reading of the folder. */
export type HealthAnswer = {
  readonly ok: boolean
  readonly reasons: readonly string[]
  readonly policyFaults: readonly PolicyFault[]
}

/** `GET /v1/version`. */
export type VersionAnswer = { readonly version: string; readonly api: 'v1' }

/** The whole API. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/healthz', answer: health },
  { method: 'GET', path: '/v1/version', answer: version },
  { method: 'GET', path: '/v1/facade', answer: facade },
  { method: 'GET', path: '/v1/summary', answer: summary },
  ...METRICS_ROUTES,
  ...EVENT_ROUTES,
  ...AGENT_ROUTES,
  ...VERDICT_ROUTES,
  ...EXPLAIN_ROUTES,
  ...MOVE_ROUTES,
  ...IDENTITY_ROUTES,
]

/** The routes as they are counted. */
export const ROUTE_LABELS: readonly string[] = [...new Set(ROUTES.map(({ path }) => path)), 'none']

/** The variable segments if the path fits, else null. */
export function partsOf(route: Route, path: string): readonly string[] | null {
  const wanted = route.path.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return null
  const parts: string[] = []
  for (const [at, word] of wanted.entries()) {
    const segment = given[at] ?? ''
    if (word.startsWith('{') && /^[A-Za-z0-9_-]{1,128}$/.test(segment)) parts.push(segment)
    else if (word !== segment) return null
  }
  return parts
}

function health({ deps, response, query }: Call): void {
  readQuery(query, [])
  const { ok, reasons } = deps.source.healthy()
  const answer: HealthAnswer = { ok, reasons, policyFaults: deps.source.policyFaults() }
  sendJson(response, ok ? 200 : 503, answer)
}

function version({ deps, response, query }: Call): void {
  readQuery(query, [])
  const answer: VersionAnswer = { version: deps.version, api: 'v1' }
  sendJson(response, 200, answer)
}
