import { type AgentKey, type Endpoint, type Finding, findingOf, type Inspection, type RequestView } from '#pkg/model'
import type { Destination, EgressDeps } from './ports.ts'

type PeerDeps = Pick<EgressDeps, 'roster' | 'sessions' | 'peerUrls' | 'calledUrls'>

/** Where tasks and contexts stand in the book of sessions: those at a peer, or those that a caller has here; null = neither. */
function placeOf({ peer, caller }: Endpoint): string | null {
  if (caller !== undefined) return `a2a-from/${caller}`
  return peer === undefined ? null : `a2a/${peer}`
}
/** Is this place in the book that of a tool server? What tasks an agent has at its peers stays its own: another could claim them. */
export const isToolServer = (place: string): boolean => !/^a2a(?:-from)?\//.test(place)
const taskOf = (id: string): string => `task ${id}`
const contextOf = (id: string): string => `context ${id}`

/** Where a request to a peer goes: below the address of the policy's entry, or the settings' instead; what a peer asks goes to the agent's own server. */
export function peerAddress(deps: PeerDeps, agent: AgentKey, view: RequestView, query: string): Destination {
  const { peer = '', caller, below } = view.endpoint
  const url = caller === undefined ? urlsOf(deps, agent, peer)[0] : deps.calledUrls[agent]
  // an entry that is gone by now has also ended the permit: this only names an address that is never dialled
  const address = url ?? 'http://127.0.0.1:1/'
  const path = below === undefined || below.path === '' ? '' : below.path + query
  const there = { provider: caller === undefined ? peer : `a2a-server ${agent}`, path, address }
  if (below?.atRoot !== true) return there
  const { origin, pathname } = new URL(address)
  return { ...there, address: origin, ...(pathname === '/' ? {} : { or: there }) }
}

/** The addresses of a peer, the one that is dialled first. */
function urlsOf(deps: PeerDeps, agent: AgentKey, peer: string): readonly string[] {
  const granted = deps.roster.loaded(agent)?.snapshot.peers.find(({ name }) => name === peer)
  const set = Object.hasOwn(deps.peerUrls, peer) ? deps.peerUrls[peer] : undefined
  return [set, granted?.url].filter((url) => url !== undefined)
}

/** The request, with what the agent may know of the peer that it goes to. */
export function withPeer(deps: PeerDeps, agent: AgentKey, view: RequestView): RequestView {
  const { peer, caller } = view.endpoint
  const place = placeOf(view.endpoint)
  if (place === null) return view
  const owns = (task: string): boolean => deps.sessions.isOf(agent, place, taskOf(task))
  if (caller !== undefined || peer === undefined)
    return { ...view, peer: { urls: [deps.calledUrls[agent] ?? ''], skills: ['*'], owns } }
  const skills = deps.roster.loaded(agent)?.snapshot.peers.find(({ name }) => name === peer)?.skills ?? []
  return { ...view, peer: { urls: urlsOf(deps, agent, peer), skills, owns } }
}

/**
 * May the request go on with the tasks and contexts that it names? Tasks get their names from the peer; a context may get
 * its name from the client, and belongs to the agent that names it first.
 */
export function ownsTasks(deps: PeerDeps, agent: AgentKey, { endpoint, goesOnWith }: RequestView): boolean {
  const place = placeOf(endpoint)
  if (place === null || goesOnWith === undefined) return true
  const { sessions } = deps
  if (!goesOnWith.tasks.every((task) => sessions.isOf(agent, place, taskOf(task)))) return false
  const isOthers = (context: string): boolean =>
    !sessions.isOf(agent, place, contextOf(context)) && sessions.isOfAnother(agent, place, contextOf(context))
  if (goesOnWith.contexts.some(isOthers)) return false
  for (const context of goesOnWith.contexts) sessions.opened(agent, place, contextOf(context))
  return true
}

/** An inspection that also notes whose the tasks are that a peer tells of. */
export function notingTasks(deps: PeerDeps, agent: AgentKey, view: RequestView, inner: Inspection): Inspection {
  const place = placeOf(view.endpoint)
  if (place === null) return inner
  const { sessions } = deps
  return {
    request: (given) => inner.request(given),
    callOpen: (call, name, form) => inner.callOpen(call, name, form),
    callDelta: (call, text) => inner.callDelta(call, text),
    callClose: (call) => inner.callClose(call),
    ask: (request) => inner.ask(request),
    list: (page) => inner.list(page),
    card: (card) => inner.card(card),
    said: (said, asks) => {
      // what a caller asks comes from it, and what it is answered goes to it
      const found = inner.said(said, view.endpoint.caller === undefined ? asks : OTHER_WAY[asks])
      if (asks === 'ToPeer') return found
      const ids = [
        ...(said.task === null ? [] : [taskOf(said.task)]),
        ...(said.context === null ? [] : [contextOf(said.context)]),
      ]
      const foreign = ids.filter((id) => !sessions.isOf(agent, place, id) && sessions.isOfAnother(agent, place, id))
      if (foreign.length > 0) return [TASK_OF_ANOTHER, ...found]
      for (const id of ids) sessions.opened(agent, place, id)
      return found
    },
  }
}

const OTHER_WAY = { ToPeer: 'FromPeer', FromPeer: 'ToPeer' } as const

/** The finding about a request that goes on with what is not its agent's. */
export const TASK_UNKNOWN: Finding = findingOf(
  'PEER_TASK_UNKNOWN',
  0,
  'goes on with a task or a context of a peer that is not of this agent, or that is forgotten; begin a new one',
)

const TASK_OF_ANOTHER: Finding = findingOf('PEER_TASK_UNKNOWN', 0, 'tells of a task or a context of another agent')
