import type { ServerResponse } from 'node:http'
import { type AgentKey, agentKeyOf, agentRefOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { nearest } from '#pkg/platform/settings'
import { agentAnswer } from './agent-answer.ts'
import { LINES_HEADERS, sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route, RouteDeps } from './call.ts'
import { DASHBOARD_ROUTES } from './dashboard.ts'
import { events } from './events.ts'
import { explanationOf, readExplainAsk } from './explain.ts'
import { facade } from './facade.ts'
import { follow } from './follow.ts'
import { IDENTITY_ROUTES } from './identity.ts'
import { lineOf, writeLine } from './lines.ts'
import { MOVE_ROUTES } from './moves.ts'
import type { AdminSource, AgentStatus, PolicyFault, VerdictFilter } from './ports.ts'
import { agentOf, readQuery, readVerdictQuery } from './query.ts'
import { summary } from './summary.ts'

/** `GET /healthz`; 503 when not ok. `policyFaults` are those of the newest reading of the folder. */
export type HealthAnswer = {
  readonly ok: boolean
  readonly reasons: readonly string[]
  readonly policyFaults: readonly PolicyFault[]
}

/** `GET /v1/version`. */
export type VersionAnswer = { readonly version: string; readonly api: 'v1' }

/** Agents that are named where none is near. */
const LISTED_AGENTS = 5
/** Agents that a wrong name is compared with: each costs time in which no exchange goes on. */
const COMPARED_AGENTS = 500

/** The whole API. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/healthz', answer: health },
  { method: 'GET', path: '/v1/version', answer: version },
  { method: 'GET', path: '/v1/facade', answer: facade },
  { method: 'GET', path: '/v1/agents', answer: agents },
  { method: 'GET', path: '/v1/agents/*/*', answer: agent },
  { method: 'GET', path: '/v1/agents/*/*/policy', answer: effective },
  { method: 'GET', path: '/v1/verdicts', answer: verdicts },
  { method: 'GET', path: '/v1/verdicts/*', answer: verdict },
  { method: 'GET', path: '/v1/events', answer: events },
  { method: 'GET', path: '/v1/summary', answer: summary },
  { method: 'POST', path: '/v1/explain', answer: explain },
  ...MOVE_ROUTES,
  ...IDENTITY_ROUTES,
  ...DASHBOARD_ROUTES,
]

/** The variable segments if the path fits, else null. */
export function partsOf(route: Route, path: string): readonly string[] | null {
  const wanted = route.path.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return null
  const parts: string[] = []
  for (const [at, word] of wanted.entries()) {
    const segment = given[at] ?? ''
    if (word === '*' && /^[A-Za-z0-9_-]{1,128}$/.test(segment)) parts.push(segment)
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

function agents({ deps, response, query, trusted }: Call): void {
  readQuery(query, [])
  sendJson(
    response,
    200,
    deps.source.agents().map((status) => agentAnswer(deps.source, status, trusted)),
  )
}

function agent(call: Call): void {
  readQuery(call.query, [])
  const { key, status } = agentNamed(call)
  if (status === null) throw noAgent(call.deps.source, key)
  sendJson(call.response, 200, agentAnswer(call.deps.source, status, call.trusted))
}

function effective(call: Call): void {
  readQuery(call.query, [])
  const { key } = agentNamed(call)
  const snapshot = call.deps.source.effective(key)
  if (snapshot === null) throw noAgent(call.deps.source, key)
  sendJson(call.response, 200, snapshot)
}

async function verdicts({ deps, response, query }: Call): Promise<void> {
  const asked = readVerdictQuery(query, deps.clock.nowMs())
  if (asked.follow) return await followVerdicts(deps, asked.filter, response)
  response.writeHead(200, LINES_HEADERS)
  for await (const record of deps.source.verdicts.read(asked.filter))
    if (!(await writeLine(response, lineOf(record)))) return
  response.end()
}

async function followVerdicts(deps: RouteDeps, filter: VerdictFilter, response: ServerResponse): Promise<void> {
  if (deps.followers.size >= deps.limits.maxFollowers)
    throw new SallyportError('OVERLOADED', `${deps.followers.size} readers follow the verdicts, which is the limit`)
  deps.followers.add(response)
  try {
    response.writeHead(200, LINES_HEADERS)
    response.flushHeaders()
    const { source, limits, ending } = deps
    await follow({ verdicts: source.verdicts, queueBytes: limits.followQueueBytes, ending }, filter, response)
  } finally {
    deps.followers.delete(response)
  }
}

async function verdict({ deps, response, query, parts }: Call): Promise<void> {
  readQuery(query, [])
  const [id = ''] = parts
  const record = await deps.source.verdicts.find(id)
  if (record === null) throw new SallyportError('ADMIN_NOT_FOUND', `no verdict "${id}" is known`)
  sendJson(response, 200, JSON.parse(lineOf(record)))
}

async function explain({ deps, request, response, query }: Call): Promise<void> {
  readQuery(query, [])
  const asked = readExplainAsk(await readJson(request, deps.limits.maxBodyBytes))
  if (deps.source.effective(asked.agent) === null) throw noAgent(deps.source, asked.agent)
  const found =
    asked.call === null
      ? deps.source.explainHost(asked.agent, asked.request)
      : await deps.source.explainCall(asked.agent, asked.call)
  sendJson(response, 200, explanationOf(asked, found))
}

type Named = { readonly key: AgentKey; readonly status: AgentStatus | null }

function agentNamed({ deps, parts }: Call): Named {
  const [namespace = '', name = ''] = parts
  const key = agentOf(namespace, name)
  if (key === null) throw new SallyportError('ADMIN_NOT_FOUND', 'no such agent: namespace and name are DNS labels')
  const status = deps.source.agents().find((one) => one.namespace === namespace && one.name === name) ?? null
  return { key, status }
}

/** Names the agent that was most likely meant: the same name in another namespace, else one that differs in few letters. */
function noAgent(source: AdminSource, key: AgentKey): SallyportError {
  const refs = source.agents().slice(0, COMPARED_AGENTS)
  const name = nearest(
    agentRefOf(key).name,
    refs.map((ref) => ref.name),
  )
  const meant = refs.find((ref) => ref.name === name)
  if (meant !== undefined) {
    const near = agentKeyOf(meant)
    return new SallyportError('ADMIN_NOT_FOUND', `no agent "${key}" is known; did you mean "${near}"?`, {
      fields: { nearest: near },
    })
  }
  const known = refs.slice(0, LISTED_AGENTS).map(agentKeyOf).join(', ')
  const more = refs.length > LISTED_AGENTS ? ', …' : ''
  return new SallyportError('ADMIN_NOT_FOUND', `no agent "${key}" is known; known: ${known || 'none'}${more}`)
}
