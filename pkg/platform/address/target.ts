import { type Host, readHost } from './host.ts'
import { readPath } from './path.ts'

/** A host and its port; null = none was given. */
export type Authority = { readonly host: Host; readonly port: number | null }

/** An authority, or what is wrong with it. */
export type AuthorityReading =
  | { readonly ok: true; readonly authority: Authority }
  | { readonly ok: false; readonly detail: string }

/** Where an absolute URL leads. */
export type Target = {
  readonly scheme: 'http' | 'https'
  readonly host: Host
  readonly port: number
  readonly path: string
  readonly query: string
}

const PORT = /^[1-9][0-9]{0,4}$/

/** `host`, `host:port`, `[ipv6]:port`; no user, and no port that is not written in plain digits from 1 to 65,535. */
export function readAuthority(text: string): AuthorityReading {
  const from = text.startsWith('[') ? text.indexOf(']') + 1 : 0
  const colon = text.indexOf(':', from)
  const host = readHost(colon === -1 ? text : text.slice(0, colon))
  if (text.includes('@')) return no('has a user before its host')
  if (!host.ok) return no(`has a host that ${host.detail}`)
  if (colon === -1) return { ok: true, authority: { host: host.host, port: null } }
  const port = text.slice(colon + 1)
  if (!PORT.test(port) || Number(port) > 65_535) return no('has a port that is no number from 1 to 65535')
  return { ok: true, authority: { host: host.host, port: Number(port) } }
}

const no = (detail: string): { readonly ok: false; readonly detail: string } => ({ ok: false, detail })

const ABSOLUTE = /^(https?):\/\/([^/?#\\]*)([^#]*)$/i

/** A target, or what is wrong: with its `address`, or with its `path`. */
export type TargetReading =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly part: 'address' | 'path'; readonly detail: string }

/** An absolute http or https URL without a fragment. An absent path is `/`. */
export function readAbsolute(text: string): TargetReading {
  const parts = ABSOLUTE.exec(text)
  if (parts === null) return { ...no('is no http or https URL, or has a fragment'), part: 'address' }
  const [, given = '', authorityText = '', rest = ''] = parts
  const read = readAuthority(authorityText)
  if (!read.ok) return { ...read, part: 'address' }
  const path = readPath(rest.startsWith('/') ? rest : `/${rest}`)
  if (!path.ok) return { ...path, part: 'path' }
  const scheme: Target['scheme'] = given.toLowerCase() === 'https' ? 'https' : 'http'
  const { host, port } = read.authority
  const portOfScheme = scheme === 'https' ? 443 : 80
  return { ok: true, target: { scheme, host, port: port ?? portOfScheme, path: path.path, query: path.query } }
}
