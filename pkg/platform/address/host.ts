import { domainToASCII, domainToUnicode } from 'node:url'
import { formatIpv6, readIpv4, readIpv6 } from './ip.ts'

/** A host in its one spelling: a name in lower case without a dot at its end, or an IP literal without brackets. */
export type Host = { readonly kind: 'name' | 'ipv4' | 'ipv6'; readonly text: string }

/** A host, or what is wrong with it. */
export type HostReading = { readonly ok: true; readonly host: Host } | { readonly ok: false; readonly detail: string }

const MAX_NAME = 253
const MAX_LABEL = 63

const NAME = /^[A-Za-z0-9._-]+$/
/** A last label by which URL parsers take the whole for an IPv4 address. */
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

/**
 * A host as an authority holds it: a name in ASCII (other scripts in punycode), `a.b.c.d`, or an IPv6 address in brackets.
 * Nothing that a URL parser or a resolver could take for another host: no escapes, no other notation of an IPv4 address
 * (decimal, octal, hexadecimal, short), no zone, no label whose scripts are mixed.
 */
export function readHost(text: string): HostReading {
  if (text.startsWith('[')) return readBracketed(text)
  if (text === '') return no('is empty')
  if (text.length > MAX_NAME + 1) return no(`is longer than ${MAX_NAME} bytes`)
  if (!NAME.test(text)) return no('has a character that no host name has; other scripts are written in punycode')
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  if (name.length > MAX_NAME) return no(`is longer than ${MAX_NAME} bytes`)
  const labels = name.split('.')
  if (NUMBER.test(labels.at(-1) ?? '')) return readDotted(text)
  for (const label of labels) {
    const wrong = faultOfLabel(label)
    if (wrong !== null) return no(wrong)
  }
  return { ok: true, host: { kind: 'name', text: name } }
}

/** A host as a policy names it: also an IPv6 address without brackets. */
export function readPolicyHost(text: string): HostReading {
  if (text.includes('*')) return no('has a "*": hosts are named one by one')
  return readHost(text.includes(':') && !text.startsWith('[') ? `[${text}]` : text)
}

const no = (detail: string): HostReading => ({ ok: false, detail })

function readBracketed(text: string): HostReading {
  const groups = text.endsWith(']') ? readIpv6(text.slice(1, -1)) : null
  if (groups === null) return no('has brackets around something that is no IPv6 address, or one with a zone')
  return { ok: true, host: { kind: 'ipv6', text: formatIpv6(groups) } }
}

function readDotted(text: string): HostReading {
  if (readIpv4(text) === null)
    return no('ends in a number and is no IPv4 address as four decimal numbers: what it means depends on its reader')
  return { ok: true, host: { kind: 'ipv4', text } }
}

function faultOfLabel(label: string): string | null {
  if (label === '') return 'has an empty label'
  if (label.length > MAX_LABEL) return `has a label of more than ${MAX_LABEL} bytes`
  if (!LABEL.test(label)) return 'has a label that begins or ends with "-"'
  if (label.startsWith('xn--')) return faultOfPunycode(label)
  return label.slice(2, 4) === '--' ? 'has a label with "--" in the place where punycode is marked' : null
}

function faultOfPunycode(label: string): string | null {
  const decoded = domainToUnicode(label)
  if (decoded === label || decoded === '' || domainToASCII(decoded) !== label)
    return 'has a label that is no punycode, or another spelling of one'
  return isOfOneScript(decoded) ? null : 'has a label that mixes scripts'
}

/** Scripts that are written together. Unicode TS 39 §5.2, "highly restrictive", without Latin among them. */
const TOGETHER: readonly RegExp[] = [
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Han}\p{Script=Bopomofo}\p{Script=Common}\p{Script=Inherited}]+$/u,
]

const SCRIPTS: readonly RegExp[] = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Thai',
  'Lao',
  'Tibetan',
  'Myanmar',
  'Georgian',
  'Ethiopic',
  'Khmer',
].map((script) => new RegExp(`^[\\p{Script=${script}}\\p{Script=Common}\\p{Script=Inherited}]+$`, 'u'))

function isOfOneScript(label: string): boolean {
  return [...SCRIPTS, ...TOGETHER].some((script) => script.test(label))
}
