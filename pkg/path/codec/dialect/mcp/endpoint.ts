import type { Endpoint } from '#pkg/model'

const SERVER_PATH = /^\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})$/

/** POST a message, GET the events of a session, DELETE a session: all of one server, below whose address there is nothing. */
export function endpointOf(method: string, path: string, query: string): Endpoint | null {
  const server = SERVER_PATH.exec(path)?.[1]
  if (server === undefined || query !== '') return null
  const endpoint = { path, query: '', server }
  if (method === 'POST') return { ...endpoint, name: 'message', method, kind: 'judged' }
  if (method === 'GET') return { ...endpoint, name: 'events', method, kind: 'judged' }
  return method === 'DELETE' ? { ...endpoint, name: 'end', method, kind: 'empty' } : null
}
