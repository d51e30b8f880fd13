import type { AgentKey, Ask, Dialect, Permit, RequestView, UpstreamLeg } from '#pkg/model'
import { upstreamRequestHeaders } from '#pkg/path/codec/wire/http1'
import type { Exchange } from './exchange.ts'
import { peerAddress } from './peer.ts'
import type { Destination, EgressDeps } from './ports.ts'

type Asked = { readonly ask: Ask; readonly agent: AgentKey; readonly view: RequestView }

/** An entry that is gone by now has also ended the permit: this only names an address that is never dialled. */
const NOWHERE = 'http://127.0.0.1:1/'

/** A provider is where the settings say, or the host of its entry where they say nothing; a tool server where the entry of the agent's policy says, or the settings instead. */
export function addressOf(
  deps: EgressDeps,
  desk: { readonly route: { readonly dialect: Dialect; readonly provider: string } },
  { ask, agent, view }: Asked,
): Destination {
  const { server, peer, caller, query = ask.query } = view.endpoint
  if (peer !== undefined || caller !== undefined) return peerAddress(deps, agent, view, query)
  const { provider } = desk.route
  const path = ask.path + query
  if (server === undefined && (deps.providerNames.has(provider) || view.provider !== 'OpenAICompatible'))
    return { provider, path }
  const { servers = [], providers = [] } = deps.roster.loaded(agent)?.snapshot ?? {}
  if (server === undefined) {
    const host = providers.find(({ type }) => type === 'OpenAICompatible')?.host
    return { provider, path, address: host === undefined ? NOWHERE : `https://${host}/v1` }
  }
  const granted = servers.find(({ name }) => name === server)
  const address = Object.hasOwn(deps.serverUrls, server) ? deps.serverUrls[server] : granted?.url
  return { provider: server, path: '', address: address ?? NOWHERE }
}

/** May the request go on with the session that it names? */
export function ownsSession(deps: EgressDeps, agent: AgentKey, { session, endpoint }: RequestView): boolean {
  if (session === undefined || session === null || endpoint.server === undefined) return true
  return deps.sessions.isOf(agent, endpoint.server, session)
}

/** Remembers whose session an answer opens, and forgets one that was ended. */
export function noteSession(deps: EgressDeps, exchange: Exchange, answer: UpstreamLeg): void {
  const { agent, view, dialect } = exchange
  const { server, method } = view.endpoint
  if (server === undefined || answer.status >= 300) return
  const opened = dialect.sessionIn?.(answer.headers) ?? null
  if (opened !== null) deps.sessions.opened(agent, server, opened)
  if (method === 'DELETE' && view.session != null) deps.sessions.ended(agent, server, view.session)
}

type Reply = { readonly permit: Permit; readonly to: Destination; readonly ask: Ask; readonly body: Uint8Array }

/** Time in which a server has to take what is said to it in the client's place. */
const REPLY_MS = 10_000

/** Tells the server that what it asked for is refused. Best effort: a server that does not take it waits in vain. */
export async function answerBack(deps: EgressDeps, { permit, to, ask, body }: Reply): Promise<void> {
  const killed = new AbortController()
  const nothing = (): void => {}
  const leave = deps.exchanges.enter({
    agent: permit.agent,
    cut: () => killed.abort(),
    retire: nothing,
    tick: nothing,
  })
  try {
    const { or: _or, ...place } = to
    const { 'last-event-id': _id, ...headers } = upstreamRequestHeaders(ask.headers)
    const answer = await deps.open(permit, {
      ...place,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body,
      signal: AbortSignal.any([killed.signal, AbortSignal.timeout(REPLY_MS)]),
    })
    answer.cancel()
  } catch {
    // the permit is dead, or the server is gone: nothing waits for this
  } finally {
    leave()
  }
}
