import { agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './call.ts'
import type { AgentStatus, CaMove, CaStatus, CaVerb, IdentityStatus } from './ports.ts'
import { agentOf, readQuery } from './query.ts'

/** `GET /v1/ca`, and what each verb answers. */
export type CaAnswer = CaStatus

/** `GET /v1/identities` and `/v1/identities/NS/NAME`. */
export type IdentityAnswer = IdentityStatus

/** `GET /v1/self`: what an agent is told about itself, once its sidecar has proved that it is the agent's. */
export type SelfAnswer = Pick<AgentStatus, 'namespace' | 'name' | 'state' | 'epoch' | 'role' | 'mode' | 'policies'> & {
  readonly spiffeId: string
  /** Names and globs that its policies grant. */
  readonly tools: readonly string[]
}

const VERBS: readonly CaVerb[] = ['prepare', 'activate', 'taint', 'revoke']
const MAX_REASON = 512

/** The one path that an agent asks, through its sidecar: a proof opens it, and no token. */
export const SELF_PATH = '/v1/self'

/** Identities, the trust bundle, the keys of the CA, and the route of agents. */
export const IDENTITY_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/bundle', answer: bundle },
  { method: 'GET', path: '/v1/identities', answer: identities },
  { method: 'GET', path: '/v1/identities/*/*', answer: identity },
  { method: 'GET', path: '/v1/ca', answer: status },
  ...VERBS.map((verb): Route => ({ method: 'POST', path: `/v1/ca/${verb}`, answer: (call) => move(verb, call) })),
  { method: 'GET', path: SELF_PATH, answer: self },
]

function bundle({ deps, response, query }: Call): void {
  readQuery(query, [])
  sendJson(response, 200, deps.source.identity.bundle())
}

function identities({ deps, response, query }: Call): void {
  readQuery(query, [])
  sendJson(response, 200, deps.source.identity.list())
}

async function identity({ deps, response, query, parts }: Call): Promise<void> {
  readQuery(query, [])
  const [namespace = '', name = ''] = parts
  if (agentOf(namespace, name) === null)
    throw new SallyportError('ADMIN_NOT_FOUND', 'no such agent: namespace and name are DNS labels')
  const found = await deps.source.identity.of(agentKeyOf({ namespace, name }))
  if (found === null)
    throw new SallyportError(
      'ADMIN_NOT_FOUND',
      `${namespace}/${name} has no identity: it is not in the folder, or may not act; "agents ${namespace}/${name}" says why`,
    )
  sendJson(response, 200, found)
}

function status({ deps, response, query }: Call): void {
  readQuery(query, [])
  sendJson(response, 200, deps.source.identity.caStatus())
}

async function move(verb: CaVerb, { deps, request, response, query, by }: Call): Promise<void> {
  readQuery(query, [])
  const ask = readCaMove(verb, await readJson(request, deps.limits.maxBodyBytes))
  sendJson(response, 200, await deps.source.identity.moveCa(verb, { ...ask, by }))
}

/**
 * `{"authority":"X509"|"Jwt","slot"?,"reason"}`; `prepare` takes no slot.
 * @throws SallyportError USAGE
 */
export function readCaMove(verb: CaVerb, body: unknown): Omit<CaMove, 'by'> {
  const takes = verb === 'prepare' ? ['authority', 'reason'] : ['authority', 'slot', 'reason']
  const wrong = (): SallyportError =>
    new SallyportError('USAGE', `the body of ${verb} must be a JSON object with ${takes.join(', ')}, and nothing else`)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong()
  const given: Readonly<Record<string, unknown>> = { ...body }
  for (const field of Object.keys(given)) if (!takes.includes(field)) throw wrong()
  const { authority, slot = null, reason } = given
  if (authority !== 'X509' && authority !== 'Jwt')
    throw new SallyportError('USAGE', 'authority must be "X509" or "Jwt": which keys are meant')
  if (slot !== null && (typeof slot !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(slot)))
    throw new SallyportError('USAGE', 'slot must be the id of a slot, as "ca status" lists them')
  if (typeof reason !== 'string' || reason.trim() === '' || [...reason].length > MAX_REASON)
    throw new SallyportError('USAGE', `reason must be a text of 1 to ${MAX_REASON} characters: it goes on record`)
  return { authority, slot, reason }
}

function self({ deps, request, response, query }: Call): void {
  readQuery(query, [])
  const path = request.url ?? ''
  const caller = deps.source.identity.caller({ method: 'GET', path }, request.headersDistinct)
  if (!caller.ok) throw new SallyportError('ADMIN_UNAUTHORIZED', `${caller.reason}: the request ${caller.detail}`)
  const key = caller.agent
  const found = deps.source.agents().find((each) => agentKeyOf(each) === key)
  if (found === undefined) throw new SallyportError('ADMIN_NOT_FOUND', 'the agent is not in the folder any more')
  const { namespace, name, state, epoch, role, mode, policies } = found
  const tools = deps.source.effective(key)?.grants.map((grant) => grant.name) ?? []
  const told = { namespace, name, state, epoch, role, mode, policies }
  const answer: SelfAnswer = { ...told, spiffeId: caller.spiffeId, tools: [...new Set(tools)] }
  sendJson(response, 200, answer)
}
