import type { Headers } from '#pkg/model'
import type { Version } from './methods.ts'

const VERSION = 'a2a-version'

/** What the headers say of the version; null = nothing. A text says what is wrong with them. */
export type SaidVersion = { readonly version: Version | null }

/** Reads the header `A2A-Version`. */
export function versionIn(headers: Headers): SaidVersion | string {
  const given = headers[VERSION]
  if (given === undefined || given === '') return { version: null }
  if (typeof given !== 'string') return 'has the header a2a-version more than once'
  const found = /^(0\.3|1\.0)(?:\.\d{1,4})?$/.exec(given.trim())?.[1]
  return found === '0.3' || found === '1.0' ? { version: found } : 'names a version of the protocol that is not known'
}

/** The address under which a client sees the facade: what it asked for, or loopback where that is no plain address. */
export function facadeOf(headers: Headers): string {
  const host = headers['host']
  const plain = typeof host === 'string' && /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,64}\])(?::\d{1,5})?$/.test(host)
  return `http://${plain ? host : '127.0.0.1'}`
}
