import type { Endpoint } from '#pkg/model'

/** An endpoint with what its query asks of us: events up to a number were received, and are not sent again. */
type OwnEndpoint = Endpoint & { readonly startingAfter?: number }

const CREATE: Endpoint = { name: 'responses', method: 'POST', path: '/responses', kind: 'judged' }
const TOKENS: Endpoint = {
  name: 'responses.input_tokens',
  method: 'POST',
  path: '/responses/input_tokens',
  kind: 'plain',
}
const COMPACT: Endpoint = { name: 'responses.compact', method: 'POST', path: '/responses/compact', kind: 'judged' }

const ID = '[A-Za-z0-9_-]{1,128}'
const ONE = new RegExp(`^/responses/${ID}$`)
const CANCEL = new RegExp(`^/responses/${ID}/cancel$`)
const ITEMS = new RegExp(`^/responses/${ID}/input_items$`)

/** The endpoints that this dialect owns; all others are refused. WIRE.md rule 9. */
export function endpointOf(method: string, path: string, query: string): Endpoint | null {
  if (method === 'POST') {
    if (query !== '') return null
    const fixed = [CREATE, TOKENS, COMPACT].find((endpoint) => endpoint.path === path)
    if (fixed !== undefined) return fixed
    return CANCEL.test(path) ? { name: 'responses.cancel', method, path, kind: 'judged' } : null
  }
  if (method === 'DELETE') {
    return ONE.test(path) && query === '' ? { name: 'responses.delete', method, path, kind: 'plain' } : null
  }
  if (method !== 'GET') return null
  if (ITEMS.test(path)) return { name: 'responses.input_items', method, path, kind: 'plain' }
  return ONE.test(path) ? retrieval(path, query) : null
}

/** What a retrieval asks for; a parameter that is not known, or is said twice, is not owned. */
const PARAMETERS = /^(?:stream|starting_after|include_obfuscation)$/
const INCLUDE = /^include(?:\[\d*\])?$/

/**
 * A response that is fetched later. It is asked for from its first event on, whatever the client has of it: only so
 * is each call judged whole, and its events are numbered as before.
 */
function retrieval(path: string, query: string): OwnEndpoint | null {
  const asked = new URLSearchParams(query)
  const seen = new Set<string>()
  let startingAfter: number | undefined
  for (const [key, value] of asked) {
    const known = INCLUDE.test(key) || (PARAMETERS.test(key) && !seen.has(key))
    if (!known) return null
    seen.add(key)
    if (key === 'include_obfuscation' || key === 'stream') {
      if (value !== 'true' && value !== 'false') return null
    } else if (key === 'starting_after') {
      if (!/^\d{1,15}$/.test(value)) return null
      startingAfter = Number(value)
    }
  }
  const endpoint = { name: 'responses.retrieve', method: 'GET', path, kind: 'judged' } as const
  if (startingAfter === undefined) return { ...endpoint, query }
  asked.delete('starting_after')
  const left = asked.toString()
  return { ...endpoint, query: left === '' ? '' : `?${left}`, startingAfter }
}

/** The number of the last event that the client has; null = none. */
export function startingAfter(endpoint: OwnEndpoint): number | null {
  return endpoint.startingAfter ?? null
}

/** True when a retrieval asks for the events. */
export function asksForEvents(query: string): boolean {
  return new URLSearchParams(query).get('stream') === 'true'
}
