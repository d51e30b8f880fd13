/**
 * dialect/a2a: the Agent2Agent protocol, versions 0.3 and 1.0, over JSON-RPC and over HTTP with JSON.
 *
 * In:  requests of an agent's A2A client with their headers and paths; answers of the other agent, whole or as events.
 * Out: what is said either way, part by part, with the addresses and skills in it; the tasks that a request goes on
 *      with; the card of the other agent, whose addresses lead to the facade when it leaves here; refusals in the shape
 *      of the binding, and once there is a task as a status that rejects it.
 * Never: gRPC, a batch, a method that no version has; a policy, a verdict of its own, a socket. A body is read as
 *      readers of both versions would: where they differ, it is refused. WIRE.md §1, §2.
 */
import type { Dialect } from '#pkg/model'
import { readAnswer } from './answer.ts'
import { CALLED, endpointOf, PEERS, type Site } from './endpoint.ts'
import { unread, voiceOf } from './refuse.ts'
import { readerAt } from './request.ts'
import { openStream } from './response.ts'

export { BASE, CALLED_BASE } from './endpoint.ts'

/** What the agent says to others, and what they answer. */
export const a2a: Dialect = dialectAt(PEERS, ['ToPeer', 'FromPeer'])

/** What others say to the agent, and what its own server answers. */
export const a2aCalled: Dialect = dialectAt(CALLED, ['FromPeer', 'ToPeer'])

function dialectAt(site: Site, directions: NonNullable<Dialect['directions']>): Dialect {
  return {
    name: 'a2a',
    provider: null,
    directions,
    jsonTypes: ['application/json', 'application/a2a+json'],
    voiceAt: (path) => {
      const rest = site.placeIn(path)?.rest ?? ''
      if (rest === '' || rest === '/') return voiceOf(unread('jsonrpc', '1.0'))
      return voiceOf(unread('http', rest.startsWith('/v1/') ? '0.3' : '1.0'))
    },
    endpointOf: (method, path, query) => endpointOf(site, method, path, query),
    readRequest: readerAt(site),
    openStream,
    readAnswer,
    ...voiceOf(unread('jsonrpc', '1.0')),
    ping: new TextEncoder().encode(': sallyport holds\n\n'),
    restore: () => null,
  }
}
