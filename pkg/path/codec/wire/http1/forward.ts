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
  'forwarded',
  'via',
  'x-real-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
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
    if (dropped.has(name) || isDropped(name) || named?.has(name)) continue
    const values = valuesOf(headers, name)
    if (values.every((value) => isSendable(name, value) && !value.includes(TOKEN_PREFIX)))
      passed[name] = values.length === 1 ? (values[0] ?? '') : values
  }
  return passed
}

/** Names that `connection` declares to be for this connection only; null = none but the usual. */
function connectionOptions(headers: Headers): ReadonlySet<string> | null {
  const value = headers['connection']
  if (value === undefined || value === 'keep-alive' || value === 'close') return null
  const names = valuesOf(headers, 'connection').flatMap((list) => list.split(','))
  return new Set(names.map((name) => name.trim().toLowerCase()))
}
