import { type AgentKey, agentKeyOf, agentRefOf, type MoveEvent } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { nearest } from '#pkg/platform/settings'
import { sendJson } from './answers.ts'
import type { Call, Route } from './call.ts'
import type { AdminSource, AgentStatus } from './ports.ts'
import { agentOf, readLimit, readQuery } from './query.ts'
import { LIMIT } from './query-doc.ts'
import { listOf, refTo } from './schema.ts'

/** One agent; its token only over the Unix socket. */
export type AgentAnswer = Required<AgentStatus> & { readonly token?: string | null }

/** One move that is on record, with who made it and why. */
export type MoveRecord = Omit<MoveEvent, 'kind' | 'agent'>

const DEFAULT_MOVES = 100
const MAX_MOVES = 1_000

/** Agents that are named where none is near. */
const LISTED_AGENTS = 5
/** Agents that a wrong name is compared with: each costs time in which no exchange goes on. */
const COMPARED_AGENTS = 500

/** Agents and the rules that hold for them. */
export const AGENT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/agents',
    answer: agents,
    doc: {
      operation: 'listAgents',
      tag: 'agents',
      summary: 'All agents of the folder.',
      answers: { 200: { what: 'Agents as they are now.', schema: listOf(refTo('Agent')) } },
    },
  },
  {
    method: 'GET',
    path: '/v1/agents/{namespace}/{name}',
    answer: agent,
    doc: {
      operation: 'getAgent',
      tag: 'agents',
      summary: 'One agent.',
      details: 'A fault names in `nearest` the agent that was most likely meant.',
      answers: { 200: { what: 'The agent as it is now.', schema: refTo('Agent') } },
    },
  },
  {
    method: 'GET',
    path: '/v1/agents/{namespace}/{name}/moves',
    answer: moves,
    doc: {
      operation: 'listMoves',
      tag: 'agents',
      summary: 'Moves of an agent that are on record, oldest first.',
      details: 'Of an agent that has left the folder, too. The record is read from its newest file back.',
      query: [{ ...LIMIT, schema: { ...LIMIT.schema, maximum: MAX_MOVES, default: DEFAULT_MOVES } }],
      answers: { 200: { what: 'The newest that many.', schema: listOf(refTo('MoveRecord')) } },
    },
  },
  {
    method: 'GET',
    path: '/v1/agents/{namespace}/{name}/policy',
    answer: effective,
    doc: {
      operation: 'getEffectivePolicy',
      tag: 'agents',
      summary: 'The rules that hold for an agent, each with its source.',
      answers: { 200: { what: 'The merged rules.', schema: refTo('EffectivePolicy') } },
    },
  },
]

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
  const key = keyOfPath(call.parts)
  const status = call.deps.source.agent(key)
  if (status === null) throw noAgent(call.deps.source, key)
  sendJson(call.response, 200, agentAnswer(call.deps.source, status, call.trusted))
}

function effective(call: Call): void {
  readQuery(call.query, [])
  const key = keyOfPath(call.parts)
  const snapshot = call.deps.source.effective(key)
  if (snapshot === null) throw noAgent(call.deps.source, key)
  sendJson(call.response, 200, snapshot)
}

async function moves({ deps, response, query, parts }: Call): Promise<void> {
  const limit = readLimit(readQuery(query, ['limit']).get('limit') ?? String(DEFAULT_MOVES), 1, MAX_MOVES)
  const key = keyOfPath(parts)
  const found = await deps.source.movesOf(key, limit)
  if (found.length === 0 && deps.source.agent(key) === null) throw noAgent(deps.source, key)
  sendJson(response, 200, found.map(recordOf))
}

function recordOf({ id, time, from, to, epoch, source, by, code, reason, verdictId }: MoveEvent): MoveRecord {
  return { id, time, from, to, epoch, source, by, code, reason, verdictId }
}

/** The agent that a path names. @throws SallyportError ADMIN_NOT_FOUND when its parts are no names of agents. */
export function keyOfPath(parts: readonly string[]): AgentKey {
  const [namespace = '', name = ''] = parts
  const key = agentOf(namespace, name)
  if (key === null) throw new SallyportError('ADMIN_NOT_FOUND', 'no such agent: namespace and name are DNS labels')
  return key
}

/** Says who is not there, and names the agent that was most likely meant: the same name in another namespace, else one that differs in few letters. */
export function noAgent(source: AdminSource, key: AgentKey): SallyportError {
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

/** An agent as this API tells of it; `trusted`: with its token. */
export function agentAnswer(source: AdminSource, status: AgentStatus, trusted: boolean): AgentAnswer {
  const { namespace, name, state, epoch, acks, role, mode, policies, generation, holds } = status
  const { reason = null, releaseThroughEpoch = 0, warnings = [] } = status
  const life = { state, reason, epoch, acks }
  const shown = { namespace, name, ...life, role, mode, policies, generation, holds, releaseThroughEpoch, warnings }
  return trusted ? { ...shown, token: source.tokenOf(agentKeyOf(status)) } : shown
}
