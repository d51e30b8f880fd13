import type { Endpoint } from '#pkg/model'

const METHOD_PATH = /^\/(?:v1|v1beta|v1alpha)\/models\/([A-Za-z0-9][A-Za-z0-9._-]{0,127}):([A-Za-z]{1,40})$/
const MODEL_PATH = /^\/(?:v1|v1beta|v1alpha)\/models\/([A-Za-z0-9][A-Za-z0-9._-]{0,127})$/
const MODELS_PATH = /^\/(?:v1|v1beta|v1alpha)\/models$/

/** Methods of a model: which answers may hold calls. */
const METHODS: Readonly<Record<string, Endpoint['kind']>> = {
  generateContent: 'judged',
  streamGenerateContent: 'judged',
  countTokens: 'plain',
  embedContent: 'plain',
  batchEmbedContents: 'plain',
}

/** What a query may say. Anything else (`fields`, `callback`, credentials) would change what comes back, or who asks. */
type Query = {
  /** As it goes upstream: without keys. */
  readonly rest: string
  readonly sse: boolean
}

const ALT: ReadonlySet<string> = new Set(['json', 'sse', 'json;enum-encoding=int', 'sse;enum-encoding=int'])
const HARMLESS: Readonly<Record<string, RegExp>> = {
  prettyPrint: /^(?:true|false|0|1)$/,
  $prettyPrint: /^(?:true|false|0|1)$/,
  quotaUser: /^[A-Za-z0-9._@-]{1,40}$/,
}
const PAGING: Readonly<Record<string, RegExp>> = {
  pageSize: /^\d{1,6}$/,
  page_size: /^\d{1,6}$/,
  pageToken: /^[A-Za-z0-9._~+/=-]{0,1024}$/,
  page_token: /^[A-Za-z0-9._~+/=-]{0,1024}$/,
}

/**
 * The endpoints that this dialect owns, below the facade's base; all others are refused. WIRE.md rule 9.
 * The parameter `key` holds a credential of the caller's and does not go upstream.
 */
export function endpointOf(method: string, path: string, query: string): Endpoint | null {
  const listing = method === 'GET' && MODELS_PATH.test(path)
  const asked = readQuery(query, listing)
  if (asked === null) return null
  if (method === 'GET') {
    if (asked.sse || !(listing || MODEL_PATH.test(path))) return null
    return { name: listing ? 'models' : 'model', method, path, query: asked.rest, kind: 'plain' }
  }
  const name = method === 'POST' ? (METHOD_PATH.exec(path)?.[2] ?? '') : ''
  const kind = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  if (kind === undefined) return null
  const endpoint = { name, method, path, query: asked.rest, kind }
  if (name === 'streamGenerateContent') return { ...endpoint, framing: asked.sse ? 'sse' : 'json-array' }
  return asked.sse ? null : endpoint
}

/** The model of an endpoint, from its path; null = it speaks of none. */
export function modelOf(endpoint: Endpoint): string | null {
  return (METHOD_PATH.exec(endpoint.path) ?? MODEL_PATH.exec(endpoint.path))?.[1] ?? null
}

function readQuery(query: string, listing: boolean): Query | null {
  const rest: string[] = []
  const seen = new Map<string, string>()
  for (const pair of query.slice(1).split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = unescaped(at === -1 ? pair : pair.slice(0, at))
    const value = unescaped(at === -1 ? '' : pair.slice(at + 1))
    if (name === null || value === null || seen.has(name)) return null
    seen.set(name, value)
    if (name === 'key') continue
    if (!isAllowed(name, value, listing)) return null
    rest.push(pair)
  }
  const alt = seen.get('alt') ?? seen.get('$alt') ?? 'json'
  if (seen.has('alt') && seen.has('$alt')) return null
  return { rest: rest.length === 0 ? '' : `?${rest.join('&')}`, sse: alt.startsWith('sse') }
}

function isAllowed(name: string, value: string, listing: boolean): boolean {
  if (name === 'alt' || name === '$alt') return ALT.has(value)
  const rules = listing ? { ...HARMLESS, ...PAGING } : HARMLESS
  return Object.hasOwn(rules, name) && rules[name]?.test(value) === true
}

function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
