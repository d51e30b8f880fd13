import type { Headers } from '#pkg/model'
import { isSendable, valuesOf } from './headers.ts'
import { TOKEN_PREFIX } from './token.ts'

/** Meant for one connection only. RFC 9110 §7.6.1, and what older software sends. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]

/** What would have an origin, or a proxy before it, read another method, target or sender than was judged. */
const MISLEADING = [
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-method',
  'x-original-host',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-rewrite-uri',
  'x-host',
  'x-http-host-override',
  'x-envoy-original-path',
]

/** The agent's credentials, its address, and what is only true of the body as it was sent to us. */
const NOT_UPSTREAM = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
  'host',
  'content-length',
  'content-encoding',
  'content-digest',
  'content-md5',
  'digest',
  'expect',
  'accept-encoding',
  'range',
  'if-range',
  // Google's: which members an answer has, and in which coding
  'x-goog-fieldmask',
  'x-goog-encode-response-if-executable',
  ...MISLEADING,
])

/** What is only true of the body as it came to us, or would take the client to another place than this one. */
const NOT_TO_CLIENT = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'content-encoding',
  'content-range',
  'accept-ranges',
  'content-digest',
  'repr-digest',
  'content-md5',
  'digest',
  'alt-svc',
  'set-cookie',
  'set-cookie2',
  'refresh',
  'proxy-authenticate',
  'proxy-authentication-info',
])

/**
 * The headers that go upstream: the agent's own (`openai-organization`, `x-stainless-*`, `traceparent`, `user-agent`,
 * …) without hop-by-hop headers, credentials, addresses and anything that holds an agent token; and
 * `accept-encoding: identity`, so that the answer need not be decoded. WIRE.md rule 5.
 */
export function upstreamRequestHeaders(headers: Headers): Headers {
  const passed = pass(headers, NOT_UPSTREAM, isPrivateToRequest)
  passed['accept-encoding'] = 'identity'
  return passed
}

/**
 * The headers of an answer that go to the client: without hop-by-hop headers, framing and coding (the body leaves as
 * identity, framed anew), cookies, `alt-svc`, `x-sallyport-*` (only ours are true) and what no message may carry.
 */
export function answerHeaders(headers: Headers): Headers {
  return pass(headers, NOT_TO_CLIENT, isOurs)
}

/** What a proxy keeps to itself, and what misleads. */
const NOT_TO_HOST = new Set([...HOP_BY_HOP, 'host', 'content-length', 'expect', ...MISLEADING])

const NOT_FROM_HOST = new Set([...HOP_BY_HOP, 'alt-svc', 'proxy-authenticate', 'proxy-authentication-info'])

/**
 * The headers that go to another host: the client's own, its credentials for that host and its cookies among them, without
 * hop-by-hop headers, those of proxies, and anything that holds an agent token, also in Basic.
 */
export function hostRequestHeaders(headers: Headers): Headers {
  const passed = pass(headers, NOT_TO_HOST, isPrivateToRequest)
  if (valuesOf(headers, 'authorization').some(hidesToken)) delete passed['authorization']
  return passed
}

/** The headers of another host's answer: its own, but for hop-by-hop headers, `alt-svc`, and those that are only ours. */
export function hostAnswerHeaders(headers: Headers): Headers {
  return pass(headers, NOT_FROM_HOST, isOurs)
}

function hidesToken(value: string): boolean {
  const [scheme = '', rest = ''] = value.split(' ', 2)
  return scheme.toLowerCase() === 'basic' && Buffer.from(rest, 'base64').toString('latin1').includes(TOKEN_PREFIX)
}

function isOurs(name: string): boolean {
  return name.startsWith('x-sallyport-')
}

function isPrivateToRequest(name: string): boolean {
  return isOurs(name) || name.startsWith('proxy-') || name.startsWith('x-forwarded-')
}

function pass(
  headers: Headers,
  dropped: ReadonlySet<string>,
  isDropped: (name: string) => boolean,
): Record<string, string | readonly string[]> {
  const named = connectionOptions(headers)
  const passed: Record<string, string | readonly string[]> = Object.create(null)
  for (const name in headers) {
    const read = readAs(name)
    if (dropped.has(read) || isDropped(read) || named?.has(name) || named?.has(read)) continue
    if (read !== name && (headers[read] !== undefined || isRead(read))) continue
    const values = valuesOf(headers, name)
    if (values.every((value) => isSendable(name, value) && !value.includes(TOKEN_PREFIX)))
      passed[name] = values.length === 1 ? (values[0] ?? '') : values
  }
  return passed
}

/** The name that readers in the manner of CGI take it for: `content_length` is `content-length` to them. */
const readAs = (name: string): string => (OTHER_MARKS.test(name) ? name.replaceAll(ALL_OTHER_MARKS, '-') : name)
const OTHER_MARKS = /[^a-z0-9-]/
const ALL_OTHER_MARKS = new RegExp(OTHER_MARKS, 'g')

/** Headers that were judged under this name alone. */
const isRead = (name: string): boolean => READ.has(name) || name.startsWith('mcp-') || name.startsWith('a2a-')
const READ: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'content-type',
  'content-encoding',
  'last-event-id',
])

/** Names that `connection` declares to be for this connection only; null = none but the usual. */
function connectionOptions(headers: Headers): ReadonlySet<string> | null {
  const value = headers['connection']
  if (value === undefined || value === 'keep-alive' || value === 'close') return null
  const names = valuesOf(headers, 'connection').flatMap((list) => list.split(','))
  return new Set(names.map((name) => name.trim().toLowerCase()))
}
