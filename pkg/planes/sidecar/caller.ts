import {
  type AgentKey,
  type Ask,
  agentKeyOf,
  type Finding,
  findingOf,
  type Headers,
  type RequestView,
} from '#pkg/model'
import { CALLED_BASE } from '#pkg/path/codec/dialect/a2a'
import type { Destination, EgressDeps } from './ports.ts'

/** The facade behind which agents are called by others. */
export const CALLED_FACADE = 'a2a-called'

/** Who is on the agent's side of a request, and for one from outside: who sent it. */
export type Party =
  | { readonly agent: AgentKey; readonly caller: Sender | null }
  | { readonly agent: null; readonly finding: Finding }

/** Another agent that has proved who it is. `name`: its entry in the policy of the one that it asks, as far as there is one. */
export type Sender = { readonly name: string; readonly spiffeId: string }

type Deps = Pick<EgressDeps, 'roster' | 'proofs' | 'calledUrls'>

/** The agent of a token; or where others call, the agent that the path names, once the request has proved who sends it. */
export function partyOf(deps: Deps, ask: Ask): Party {
  if (ask.facade !== CALLED_FACADE) {
    const agent = ask.token === null ? null : deps.roster.agentOf(ask.token)
    return agent === null ? { agent, finding: UNKNOWN_TOKEN } : { agent, caller: null }
  }
  const [, namespace = '', name = ''] = ask.path.split('/')
  const agent = agentKeyOf({ namespace, name })
  const request = { method: ask.method, path: CALLED_BASE + ask.path + ask.query, body: ask.body }
  const proven = deps.proofs.verify(agent, request, ask.headers)
  if (!proven.ok) return { agent: null, finding: proven.finding }
  // that there is no such agent, or that nothing of it is served, is told only to those who have proved who they are
  const rules = deps.roster.loaded(agent)
  if (rules === null || !Object.hasOwn(deps.calledUrls, agent)) return { agent: null, finding: NOT_SERVED }
  const entry = rules.snapshot.callers.find((one) => agentKeyOf(one.agent) === proven.agent)
  return { agent, caller: { name: entry?.name ?? '', spiffeId: proven.spiffeId } }
}

/** The request, with the entry of the one that sent it. */
export function withCaller(view: RequestView, { name }: Sender): RequestView {
  return { ...view, endpoint: { ...view.endpoint, caller: name } }
}

type Sent = {
  readonly agent: AgentKey
  readonly view: RequestView
  readonly caller: Sender | null
  readonly method: string
  readonly body: Uint8Array | null
}

/** What goes to the other end beside what the agent sends. */
type OwnCredentials = { readonly headers: Headers; readonly bearer?: string }

const NONE: OwnCredentials = { headers: {} }

/** Credentials for the other end: the agent proves to a peer who it is, and learns who calls it; a tool server that opts in gets its JWT-SVID alone. */
export async function ownCredentials(deps: EgressDeps, to: Destination, sent: Sent): Promise<OwnCredentials> {
  if (sent.caller !== null) return { headers: { [CALLER_HEADER]: sent.caller.spiffeId } }
  const { server, peer } = sent.view.endpoint
  const snapshot = deps.roster.loaded(sent.agent)?.snapshot
  if (server !== undefined) {
    const opted = snapshot?.servers.find(({ name, identity }) => name === server && identity === 'JwtSvid')
    const token = opted === undefined ? null : await deps.proofs.token(sent.agent, opted.url)
    return token === null ? NONE : { headers: {}, bearer: token }
  }
  const grant = snapshot?.peers.find(({ name }) => name === peer)
  if (grant === undefined) return NONE
  const { pathname, search } = new URL(`${(to.address ?? '').replace(/\/+$/, '')}${to.path}`)
  const request = { method: sent.method, path: pathname + search, body: sent.body ?? NOTHING }
  return { headers: (await deps.proofs.prove(sent.agent, agentKeyOf(grant.agent), request)) ?? {} }
}

/** Tells an agent's own server who calls it: the SPIFFE ID that was proved. Never passed on from outside. */
export const CALLER_HEADER = 'x-sallyport-caller'

const NOTHING = new Uint8Array(0)

const NOT_SERVED: Finding = findingOf(
  'PEER_NOT_GRANTED',
  0,
  'goes to an agent that nobody can call here: there is none of that name, or no --a2a-server names where it is',
)

/** The finding about a request of which nobody knows whose it is. */
export const UNKNOWN_TOKEN: Finding = findingOf(
  'IDENTITY_TOKEN_UNKNOWN',
  0,
  "carries no token of an agent; give the SDK the agent's sp_vk_ token as its API key",
)
