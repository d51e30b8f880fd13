import { AGENT_ROUTES } from './agents.ts'
import { sendJson } from './answers.ts'
import type { Call, Route, Served } from './call.ts'
import { DASHBOARD_ROUTES, PAGE_ROUTES } from './dashboard.ts'
import { EVENT_ROUTES } from './events.ts'
import { EXPLAIN_ROUTES } from './explain.ts'
import { IDENTITY_ROUTES } from './identity.ts'
import { METRICS_ROUTES } from './metrics.ts'
import { MOVE_ROUTES } from './moves.ts'
import { type OpenApi, openApiOf } from './openapi.ts'
import { PROCESS_ROUTES } from './process.ts'
import { readQuery } from './query.ts'
import type { Schema } from './schema.ts'
import { VERDICT_ROUTES } from './verdicts.ts'

const DOCUMENT: Schema = {
  type: 'object',
  properties: { openapi: { const: '3.1.0' }, paths: { type: 'object' } },
  required: ['openapi', 'paths'],
}

const DOCUMENT_ROUTE: Route = {
  method: 'GET',
  path: '/v1/openapi.json',
  answer: document,
  doc: {
    operation: 'getOpenApi',
    tag: 'process',
    summary: 'This document.',
    answers: { 200: { what: 'OpenAPI 3.1.', schema: DOCUMENT } },
  },
}

/** The whole API. */
export const ROUTES: readonly Route[] = [
  ...PROCESS_ROUTES,
  DOCUMENT_ROUTE,
  ...METRICS_ROUTES,
  ...EVENT_ROUTES,
  ...AGENT_ROUTES,
  ...VERDICT_ROUTES,
  ...EXPLAIN_ROUTES,
  ...MOVE_ROUTES,
  ...IDENTITY_ROUTES,
  ...DASHBOARD_ROUTES,
]

/** What is answered at all: the API, and the files of the page. */
export const SERVED: readonly Served[] = [...ROUTES, ...PAGE_ROUTES]

/** The routes as they are counted. */
export const ROUTE_LABELS: readonly string[] = [...new Set(SERVED.map(({ path }) => path)), 'none']

/** The description of the whole API, made from its routes. */
export function adminOpenApi(): OpenApi {
  return openApiOf(ROUTES)
}

function document({ response, query }: Call): void {
  readQuery(query, [])
  sendJson(response, 200, adminOpenApi())
}

/** The variable segments if the path fits, else null. */
export function partsOf(route: Pick<Route, 'path'>, path: string): readonly string[] | null {
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
