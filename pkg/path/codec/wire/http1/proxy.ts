import type { Headers, HostTarget } from '#pkg/model'
import { type Authority, readAbsolute, readAuthority } from '#pkg/platform/address'
import { type Fault, fault } from './fault.ts'
import { isRepeated, valuesOf } from './headers.ts'
import { oneToken } from './token.ts'

/** Where a proxied request goes; `path` and `query` are empty for CONNECT. */
export type ProxyTarget =
  | { readonly ok: true; readonly target: HostTarget; readonly path: string; readonly query: string }
  | Fault

const SCHEME = /^[a-z][a-z0-9+.-]*:/i

/** Is it a request for another host: CONNECT, or a target in absolute form? RFC 9112 §3.2. */
export function isProxied(method: string, rawUrl: string): boolean {
  return method === 'CONNECT' || SCHEME.test(rawUrl)
}

/**
 * The target of a proxied request in its one reading; `host`, where it came, must name the same. RFC 9110 §7.2, §9.3.6.
 * @returns EGRESS_ADDRESS_INVALID for an address with a second reading, or none; EGRESS_PATH_INVALID for such a path.
 */
export function proxyTarget(method: string, rawUrl: string, headers: Headers): ProxyTarget {
  const read = method === 'CONNECT' ? connectTarget(rawUrl) : absoluteTarget(rawUrl)
  return read.ok && !hostAgrees(headers, read.target)
    ? fault('EGRESS_ADDRESS_INVALID', 'has a host header that names another host than its target')
    : read
}

function connectTarget(rawUrl: string): ProxyTarget {
  const read = readAuthority(rawUrl)
  if (!read.ok) return fault('EGRESS_ADDRESS_INVALID', read.detail)
  const { host, port } = read.authority
  if (port === null) return fault('EGRESS_ADDRESS_INVALID', 'names no port to connect to')
  return { ok: true, target: { scheme: 'tcp', host: host.text, port }, path: '', query: '' }
}

function absoluteTarget(rawUrl: string): ProxyTarget {
  const read = readAbsolute(rawUrl)
  if (!read.ok) return fault(read.part === 'path' ? 'EGRESS_PATH_INVALID' : 'EGRESS_ADDRESS_INVALID', read.detail)
  const { scheme, host, port, path, query } = read.target
  return { ok: true, target: { scheme, host: host.text, port }, path, query }
}

function hostAgrees(headers: Headers, target: HostTarget): boolean {
  if (isRepeated(headers, 'host')) return false
  const [given] = valuesOf(headers, 'host')
  if (given === undefined) return true
  const read = readAuthority(given)
  return read.ok && read.authority.host.text === target.host && portAgrees(read.authority, target)
}

/** CONNECT clients name the host with or without its port; others leave out the port of their scheme. */
function portAgrees({ port }: Authority, target: HostTarget): boolean {
  if (port !== null) return port === target.port
  return target.scheme === 'tcp' || target.port === (target.scheme === 'https' ? 443 : 80)
}

/**
 * The agent's token from `proxy-authorization`: as user or password of Basic, as clients send what stands before the
 * host of a proxy's URL, or as Bearer. Two different tokens are none.
 */
export function proxyTokenOf(headers: Headers): string | null {
  return oneToken(valuesOf(headers, 'proxy-authorization').flatMap(credentialsOf))
}

/** The words of one header that could be a token. */
function credentialsOf(value: string): readonly string[] {
  const space = value.indexOf(' ')
  const scheme = value.slice(0, Math.max(0, space)).toLowerCase()
  const rest = value.slice(space + 1).trim()
  if (scheme === 'bearer') return [rest]
  if (scheme !== 'basic') return []
  return Buffer.from(rest, 'base64').toString('latin1').split(':').map(unescaped)
}

/** Some clients send the user of a URL as it stands there. A token has nothing to escape, but its `_` may be. */
function unescaped(word: string): string {
  return word.replace(/%5f/gi, '_').replace(/%2d/gi, '-')
}
