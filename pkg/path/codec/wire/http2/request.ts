import type { Headers } from '#pkg/model'
import * as http1 from '#pkg/path/codec/wire/http1'
import { type Fault, fault, type ReadHeaders } from '#pkg/path/codec/wire/http1'

/** The pseudo-headers of a request; `:protocol` (RFC 8441) is none of them here, since no extended CONNECT is served. */
const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path'])

/** What only has a meaning between the two ends of an HTTP/1 connection. RFC 9113 §8.2.2. */
const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** Headers that decide whose a message is, or what it means: two of one are two readings. */
const SINGLE = ['content-length', 'content-type', 'expect'] as const

const DIGITS = /^[0-9]{1,15}$/
const UPPER = /[A-Z]/

/** Method and target of a request as they came, empty where they are missing: {@link readHeaders} says what is wrong. */
export function requestLine(raw: readonly string[]): { readonly method: string; readonly url: string } {
  return { method: firstOf(raw, ':method') ?? '', url: firstOf(raw, ':path') ?? '' }
}

/**
 * A header block (name, value, name, value, …) as the headers of the same request in HTTP/1.1: `:authority` is `host`,
 * the crumbs of a cookie are one. RFC 9113 §8.2, §8.3.
 * @returns WIRE_HEADER_INVALID for a pseudo-header that is unknown, repeated, missing or behind a header; for a name in
 * upper case; for a header that belongs to a connection; for a `host` that is not the `:authority`; and for what
 * HTTP/1.1 does not allow either.
 */
export function readHeaders(raw: readonly string[]): ReadHeaders {
  const parts = partsOf(raw)
  if ('ok' in parts) return parts
  const { pseudo, list, crumbs } = parts
  const wrong = pseudoFault(pseudo)
  if (wrong !== null) return wrong
  if (crumbs.length > 0) list.push('cookie', crumbs.join('; '))
  const authority = pseudo.get(':authority')
  if (authority !== undefined) {
    for (let at = 0; at < list.length; at += 2)
      if (list[at] === 'host' && list[at + 1]?.toLowerCase() !== authority.toLowerCase())
        return invalid('has a host header that is not its :authority')
    if (firstOf(list, 'host') === undefined) list.push('host', authority)
  }
  const read = http1.readHeaders(list)
  if (read.ok && typeof read.headers['host'] === 'object') return invalid('has more than one host header')
  return read
}

type Parts = { readonly pseudo: Map<string, string>; readonly list: string[]; readonly crumbs: string[] }

function partsOf(raw: readonly string[]): Parts | Fault {
  const parts: Parts = { pseudo: new Map(), list: [], crumbs: [] }
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const wrong = name.startsWith(':') ? takePseudo(parts, name, value) : takeHeader(parts, name, value)
    if (wrong !== null) return invalid(wrong)
  }
  return parts
}

function takePseudo({ pseudo, list, crumbs }: Parts, name: string, value: string): string | null {
  if (list.length + crumbs.length > 0) return 'has a pseudo-header behind a header'
  if (!PSEUDO.has(name)) return 'has a pseudo-header that is not known here'
  if (pseudo.has(name)) return 'has a pseudo-header twice'
  pseudo.set(name, value)
  return null
}

function takeHeader({ list, crumbs }: Parts, name: string, value: string): string | null {
  if (UPPER.test(name)) return 'has a header name in upper case'
  if (CONNECTION_SPECIFIC.has(name)) return 'has a header that HTTP/2 does not know'
  if (name === 'te' && value.toLowerCase() !== 'trailers') return 'has a te header other than "trailers"'
  if (name === 'cookie') crumbs.push(value)
  else list.push(name, value)
  return null
}

function pseudoFault(pseudo: ReadonlyMap<string, string>): Fault | null {
  const method = pseudo.get(':method')
  if (method === undefined || method === '') return invalid('has no :method')
  const authority = pseudo.get(':authority')
  if (authority === '' || authority?.includes('@')) return invalid('has an :authority that names no host')
  if (method === 'CONNECT') return null // which has neither: see requestTarget
  const scheme = pseudo.get(':scheme')
  if (scheme !== 'http' && scheme !== 'https') return invalid('has a :scheme that is neither http nor https')
  if (!pseudo.has(':path')) return invalid('has no :path')
  return null
}

/** The target of a request: that of HTTP/1.1, and no CONNECT of either kind. */
export function requestTarget(method: string, url: string): http1.RequestTarget {
  if (method === 'CONNECT') return fault('WIRE_ENDPOINT_UNKNOWN', 'is a CONNECT, which is not served over HTTP/2')
  return http1.requestTarget(method, url)
}

/**
 * How long the body is said to be: null = it ends with its stream. That it is as long as that is the parser's check.
 * @returns WIRE_HEADER_INVALID for a repeated header that decides, a length that is no number, an expectation other
 * than `100-continue`.
 */
export function requestFraming(headers: Headers): http1.RequestFraming {
  for (const name of SINGLE) if (typeof headers[name] === 'object') return invalid(`has more than one ${name} header`)
  const expect = one(headers['expect'])
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return invalid('has an expectation other than 100-continue')
  const length = one(headers['content-length'])
  if (length !== undefined && !DIGITS.test(length)) return invalid('has a content-length that is not a plain number')
  return { ok: true, length: length === undefined ? null : Number(length), expectsContinue: expect !== undefined }
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value
}

function firstOf(raw: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < raw.length; at += 2) if (raw[at] === name) return raw[at + 1]
  return undefined
}

function invalid(detail: string): Fault {
  return fault('WIRE_HEADER_INVALID', detail)
}
