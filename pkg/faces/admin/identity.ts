import { SallyportError } from '#pkg/model/errors'
import { keyOfPath } from './agents.ts'
import { sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './call.ts'
import type { AgentStatus, CaMove, CaStatus, CaVerb, IdentityStatus } from './ports.ts'
import { readQuery } from './query.ts'
import { REASON_TEXT, readReason } from './reason-text.ts'
import { listOf, oneOf, orNull, refTo, type Schema } from './schema.ts'

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
const SLOT = '^[A-Za-z0-9_-]{1,64}$'
const SLOT_PATTERN = new RegExp(SLOT)

/** The one path that an agent asks, through its sidecar: a proof opens it, and no token. */
export const SELF_PATH = '/v1/self'

const CA_FAULTS = ['ADMIN_NOT_FOUND', 'MOVE_REFUSED', 'STATE_UNAVAILABLE', 'OVERLOADED'] as const

const CA_WHAT: Readonly<Record<CaVerb, string>> = {
  prepare: 'Make the next key.',
  activate: 'Sign with a published key from now on.',
  taint: 'Distrust a key: what it signed is renewed.',
  revoke: 'Take a tainted key out of the bundle.',
}

/** Identities, the trust bundle, the keys of the CA, and the route of agents. */
export const IDENTITY_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/bundle',
    answer: bundle,
    doc: {
      operation: 'getBundle',
      tag: 'identity',
      summary: 'The trust bundle.',
      answers: { 200: { what: 'A JWK Set.', schema: refTo('Bundle') } },
    },
  },
  {
    method: 'GET',
    path: '/v1/identities',
    answer: identities,
    doc: {
      operation: 'listIdentities',
      tag: 'identity',
      summary: 'Identities that are held now.',
      answers: { 200: { what: 'Certificates; never a key.', schema: listOf(refTo('Identity')) } },
    },
  },
  {
    method: 'GET',
    path: '/v1/identities/{namespace}/{name}',
    answer: identity,
    doc: {
      operation: 'getIdentity',
      tag: 'identity',
      summary: 'The identity of one agent; made if need be.',
      answers: { 200: { what: 'Its certificate.', schema: refTo('Identity') } },
      faults: ['STATE_UNAVAILABLE', 'OVERLOADED'],
    },
  },
  {
    method: 'GET',
    path: '/v1/ca',
    answer: status,
    doc: {
      operation: 'getCa',
      tag: 'identity',
      summary: 'The keys of the CA.',
      answers: { 200: { what: 'Keys by state.', schema: refTo('Ca') } },
    },
  },
  ...VERBS.map(
    (verb): Route => ({
      method: 'POST',
      path: `/v1/ca/${verb}`,
      answer: (call) => move(verb, call),
      doc: {
        operation: `${verb}CaKey`,
        tag: 'identity',
        summary: CA_WHAT[verb],
        body: caBody(verb),
        answers: { 200: { what: 'Keys by state, after it.', schema: refTo('Ca') } },
        faults: CA_FAULTS,
      },
    }),
  ),
  {
    method: 'GET',
    path: SELF_PATH,
    answer: self,
    doc: {
      operation: 'getSelf',
      tag: 'identity',
      summary: 'What an agent is told about itself.',
      details: 'Opened by a proof of the sidecar for this very request, and by no token.',
      answers: { 200: { what: 'The agent.', schema: refTo('Self') } },
      faults: ['ADMIN_NOT_FOUND'],
      entry: 'proof',
    },
  },
]

function caBody(verb: CaVerb): Schema {
  const properties = {
    authority: { ...oneOf(['X509', 'Jwt']), description: 'Which keys are meant.' },
    reason: REASON_TEXT,
    slot: orNull({
      type: 'string',
      pattern: SLOT,
      description: 'Of the list of keys; null = the one that is meant by its state.',
    }),
  }
  const { slot: _slot, ...without } = properties
  return {
    type: 'object',
    properties: verb === 'prepare' ? without : properties,
    required: ['authority', 'reason'],
    additionalProperties: false,
  }
}

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
  const key = keyOfPath(parts)
  const found = await deps.source.identity.of(key)
  if (found === null)
    throw new SallyportError(
      'ADMIN_NOT_FOUND',
      `${key} has no identity: it is not in the folder, or may not act; "agents ${key}" says why`,
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
function readCaMove(verb: CaVerb, body: unknown): Omit<CaMove, 'by'> {
  const takes = verb === 'prepare' ? ['authority', 'reason'] : ['authority', 'slot', 'reason']
  const wrong = (): SallyportError =>
    new SallyportError('USAGE', `the body of ${verb} must be a JSON object with ${takes.join(', ')}, and nothing else`)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong()
  const given: Readonly<Record<string, unknown>> = { ...body }
  for (const field of Object.keys(given)) if (!takes.includes(field)) throw wrong()
  const { authority, slot = null, reason } = given
  if (authority !== 'X509' && authority !== 'Jwt')
    throw new SallyportError('USAGE', 'authority must be "X509" or "Jwt": which keys are meant')
  if (slot !== null && (typeof slot !== 'string' || !SLOT_PATTERN.test(slot)))
    throw new SallyportError('USAGE', 'slot must be the id of a slot, as "ca status" lists them')
  return { authority, slot, reason: readReason(reason) }
}

function self({ deps, request, response, query }: Call): void {
  readQuery(query, [])
  const path = request.url ?? ''
  const caller = deps.source.identity.caller({ method: 'GET', path }, request.headersDistinct)
  if (!caller.ok) throw new SallyportError('ADMIN_UNAUTHORIZED', `${caller.reason}: the request ${caller.detail}`)
  const key = caller.agent
  const found = deps.source.agent(key)
  if (found === null) throw new SallyportError('ADMIN_NOT_FOUND', 'the agent is not in the folder any more')
  const { namespace, name, state, epoch, role, mode, policies } = found
  const tools = deps.source.effective(key)?.grants.map((grant) => grant.name) ?? []
  const told = { namespace, name, state, epoch, role, mode, policies }
  const answer: SelfAnswer = { ...told, spiffeId: caller.spiffeId, tools: [...new Set(tools)] }
  sendJson(response, 200, answer)
}
