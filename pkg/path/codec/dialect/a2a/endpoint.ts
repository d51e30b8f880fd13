import type { Endpoint } from '#pkg/model'
import type { Operation, Version } from './methods.ts'

/** Where the facade of peers begins: cards are rewritten to addresses below it. */
export const BASE = '/a2a'

const PEER_PATH = /^\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})(\/.*)?$/

const SEGMENT = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2}){1,512}"
const ID = `(?<task>${SEGMENT})`

/** One path of the HTTP binding, below what stands before it. */
type Path = {
  readonly operation: Operation
  readonly methods: readonly string[]
  readonly path: RegExp
  readonly only?: Version
}

const path = (operation: Operation, methods: readonly string[], pattern: string, only?: Version): Path => ({
  operation,
  methods,
  path: new RegExp(`^${pattern}$`),
  ...(only === undefined ? {} : { only }),
})

const CONFIGS = `/tasks/${ID}/pushNotificationConfigs`

const PATHS: readonly Path[] = [
  path('send', ['POST'], '/message:send'),
  path('stream', ['POST'], '/message:stream'),
  path('list', ['GET'], '/tasks'),
  path('get', ['GET'], `/tasks/${ID}`),
  path('cancel', ['POST'], `/tasks/${ID}:cancel`),
  path('subscribe', ['GET', 'POST'], `/tasks/${ID}:subscribe`),
  path('notify-set', ['POST'], CONFIGS),
  path('notify-list', ['GET'], CONFIGS),
  path('notify-get', ['GET'], `${CONFIGS}/${SEGMENT}`),
  path('notify-remove', ['DELETE'], `${CONFIGS}/${SEGMENT}`),
  path('extended-card', ['GET'], '/extendedAgentCard'),
  path('extended-card', ['GET'], '/card', '0.3'),
]

/** Names in which a tenant and the first word of a path could be mixed up. */
const NO_TENANT = /^(?:v1|tasks|card|extendedAgentCard|\..*)$/

const TENANT = new RegExp(`^/(${SEGMENT})(/.*)$`)

/** What a path below a peer's name asks for. */
export type Route = {
  readonly binding: 'jsonrpc' | 'http'
  /** null = the body tells. */
  readonly operation: Operation | null
  /** null = a header tells. */
  readonly version: Version | null
  readonly task: string | null
  readonly tenant: string | null
}

const CARD = '/.well-known/agent-card.json'

/** What a path asks for; null = nothing that the protocol has. */
export function routeOf(method: string, rest: string): Route | null {
  if (rest === '' || rest === '/')
    return method === 'POST' ? { binding: 'jsonrpc', operation: null, version: null, task: null, tenant: null } : null
  if (rest === CARD)
    return method === 'GET' ? { binding: 'http', operation: 'card', version: null, task: null, tenant: null } : null
  if (rest.startsWith('/v1/')) return pathOf(method, rest.slice(3), '0.3', null)
  const plain = pathOf(method, rest, '1.0', null)
  if (plain !== null) return plain
  const tenant = TENANT.exec(rest)
  if (tenant?.[1] === undefined || NO_TENANT.test(tenant[1])) return null
  return pathOf(method, tenant[2] ?? '', '1.0', tenant[1])
}

function pathOf(method: string, rest: string, version: Version, tenant: string | null): Route | null {
  for (const { operation, methods, path: pattern, only } of PATHS) {
    if (!methods.includes(method) || (only !== undefined && only !== version)) continue
    const found = pattern.exec(rest)
    if (found === null) continue
    const task = found.groups?.['task']
    const read = task === undefined ? null : plainOf(task)
    if (task !== undefined && read === null) return null
    return { binding: 'http', operation, version, task: read, tenant: tenant === null ? null : plainOf(tenant) }
  }
  return null
}

/** A segment without its escapes; null for one that is another path to some reader. */
function plainOf(segment: string): string | null {
  try {
    const plain = decodeURIComponent(segment)
    return /[/\\\p{C}]/u.test(plain) || /^\.{1,2}$/.test(plain) ? null : plain
  } catch {
    return null
  }
}

/** Parameters of a query that the protocol has, by operation. */
const QUERIES: Partial<Readonly<Record<Operation, ReadonlySet<string>>>> = {
  get: new Set(['historyLength', 'history_length']),
  list: new Set([
    'contextId',
    'status',
    'pageSize',
    'pageToken',
    'historyLength',
    'statusTimestampAfter',
    'includeArtifacts',
  ]),
}

/** The parameters of a query, each once; null = one that the operation has not. */
export function queryOf(operation: Operation | null, query: string): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>()
  if (query === '' || query === '?') return found
  const known = operation === null ? undefined : QUERIES[operation]
  if (query.includes('%') && !/^(?:[^%]|%[0-9A-Fa-f]{2})*$/.test(query)) return null
  for (const [name, value] of new URLSearchParams(query)) {
    if (known?.has(name) !== true || found.has(name)) return null
    found.set(name, value)
  }
  return found.has('historyLength') && found.has('history_length') ? null : found
}

/** The facade of agents that are called: their own servers, behind a proof of who calls. */
export const CALLED_BASE = '/agents'

const CALLED_PATH = /^(\/[a-z0-9][a-z0-9-]{0,62}\/[a-z0-9][a-z0-9.-]{0,252}\/a2a)(\/.*)?$/

/** Where a facade has its places: what stands before the paths of the protocol, and what stands below it. */
export type Site = {
  readonly base: string
  /** The place that a path names, and what stands below it; null = none. */
  placeIn(path: string): { readonly place: string; readonly rest: string; readonly peer?: string } | null
}

/** Peers, by the names that the policy of the one who asks gives them. */
export const PEERS: Site = {
  base: BASE,
  placeIn: (path) => {
    const found = PEER_PATH.exec(path)
    return found?.[1] === undefined ? null : { place: `/${found[1]}`, rest: found[2] ?? '', peer: found[1] }
  },
}

/** Agents that are called, by namespace and name. */
export const CALLED: Site = {
  base: CALLED_BASE,
  placeIn: (path) => {
    const found = CALLED_PATH.exec(path)
    return found?.[1] === undefined ? null : { place: found[1], rest: found[2] ?? '' }
  },
}

/** JSON-RPC at a place, the HTTP binding of both versions below it, and its card. */
export function endpointOf(site: Site, method: string, path: string, query: string): Endpoint | null {
  const named = site.placeIn(path)
  const route = named === null ? null : routeOf(method, named.rest)
  if (named === null || route === null || queryOf(route.operation, query) === null) return null
  const below = { path: route.binding === 'jsonrpc' ? '' : named.rest, atRoot: route.operation === 'card' }
  const to = named.peer === undefined ? {} : { peer: named.peer }
  return { name: route.operation ?? 'rpc', method, path, query, kind: 'judged', ...to, below }
}
