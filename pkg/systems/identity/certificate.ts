import { type DerValue, readDer, smallInteger, TAG } from './der.ts'
import { AGENT_EXTENSION_HEX, OID } from './oids.ts'

/** What an identity document needs of a certificate. RFC 5280 §4. */
export type Certificate = {
  readonly der: Uint8Array
  /** Hexadecimal, without leading zeros. */
  readonly serial: string
  /** The object identifier of its signature, hexadecimal. */
  readonly signature: string
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly hasSubject: boolean
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** URI names of subjectAltName, as ASCII; an octet above 127 is kept as one character. */
  readonly uris: readonly string[]
  readonly sanCritical: boolean
  readonly isCa: boolean
  readonly pathLength: number | null
  /** Bit n is key usage n; null = no such extension. */
  readonly keyUsage: number | null
  readonly keyUsageCritical: boolean
  /** Hexadecimal object identifiers; null = no such extension. */
  readonly extendedKeyUsage: readonly string[] | null
  /** True when a critical extension is none of those above, or names are constrained: nobody here can say what that forbids. */
  readonly hasUnknownCritical: boolean
  /** Of an agent's SVID. */
  readonly agent: { readonly uid: string; readonly epoch: number } | null
}

/** Bits of key usage. RFC 5280 §4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 1 << 0, keyCertSign: 1 << 5, cRLSign: 1 << 6 } as const

/** No certificate of ours, or of any mesh, is larger. */
const CERTIFICATE_BYTES = 16 * 1024

const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3
const URI_NAME = 0x86

/** Reads a certificate of version 3 strictly, or null. */
export function readCertificate(bytes: Uint8Array): Certificate | null {
  if (bytes.length > CERTIFICATE_BYTES) return null
  const whole = readDer(bytes)
  const [tbs, algorithm, signature] = whole?.tag === TAG.sequence && whole.children.length === 3 ? whole.children : []
  if (tbs?.tag !== TAG.sequence || signature?.tag !== TAG.bitString) return null
  const [version, serial, inner, issuer, validity, subject, spki, ...rest] = tbs.children
  const extensions = rest.at(-1)
  if (version?.tag !== CONTEXT_0 || smallInteger(version.children[0]) !== 2 || serial?.tag !== TAG.integer) return null
  if (inner === undefined || algorithm === undefined || !isSame(inner.bytes, algorithm.bytes)) return null
  const [notBeforeMs, notAfterMs] = (validity?.children ?? []).map(timeOf)
  if (typeof notBeforeMs !== 'number' || typeof notAfterMs !== 'number' || validity?.children.length !== 2) return null
  if (issuer?.tag !== TAG.sequence || subject?.tag !== TAG.sequence || spki?.tag !== TAG.sequence) return null
  if (extensions?.tag !== CONTEXT_3 || extensions.children.length !== 1) return null
  const read = readExtensions(extensions.children[0])
  if (read === null) return null
  const signed = Buffer.from(algorithm.children[0]?.content ?? []).toString('hex')
  const names = { issuer: issuer.bytes, subject: subject.bytes, hasSubject: subject.children.length > 0 }
  const serialHex = Buffer.from(serial.content)
    .toString('hex')
    .replace(/^00(?=.)/, '')
  return {
    der: bytes,
    serial: serialHex,
    signature: signed,
    ...names,
    notBeforeMs,
    notAfterMs,
    spki: spki.bytes,
    ...read,
  }
}

/** One extension of a certificate or a signing request. */
export type Extension = { readonly oid: string; readonly critical: boolean; readonly value: DerValue }

/** The extensions of a SEQUENCE of them, or null: malformed, or one twice. */
export function listExtensions(sequence: DerValue | undefined): readonly Extension[] | null {
  if (sequence?.tag !== TAG.sequence) return null
  const found: Extension[] = []
  for (const { tag, children } of sequence.children) {
    const [oid, second, third] = children
    const critical = children.length === 3 ? second : null
    const octets = children.length === 3 ? third : second
    if (tag !== TAG.sequence || oid?.tag !== TAG.oid || octets?.tag !== TAG.octetString) return null
    // FALSE is the default, which DER leaves out
    if (critical !== null && (critical?.tag !== TAG.boolean || critical.content[0] === 0)) return null
    const value = readDer(octets.content)
    const name = Buffer.from(oid.content).toString('hex')
    if (value === null || found.some((one) => one.oid === name)) return null
    found.push({ oid: name, critical: critical !== null, value })
  }
  return found
}

type Read = Omit<
  Certificate,
  'der' | 'serial' | 'signature' | 'issuer' | 'subject' | 'hasSubject' | 'notBeforeMs' | 'notAfterMs' | 'spki'
>

function readExtensions(sequence: DerValue | undefined): Read | null {
  const list = listExtensions(sequence)
  if (list === null) return null
  const of = (oid: string): Extension | undefined => list.find((one) => one.oid === oid)
  const [san, basic, usage] = [of(OID.subjectAltName), of(OID.basicConstraints), of(OID.keyUsage)]
  const names = san === undefined ? [] : namesOf(san.value)
  const constraints = basic === undefined ? { isCa: false, pathLength: null } : constraintsOf(basic.value)
  const keyUsage = usage === undefined ? null : usageOf(usage.value)
  const agent = agentOf(of(AGENT_EXTENSION_HEX)?.value)
  if (names === null || constraints === null || keyUsage === 'malformed' || agent === 'malformed') return null
  const extended = of(OID.extendedKeyUsage)?.value
  return {
    uris: names,
    sanCritical: san?.critical ?? false,
    ...constraints,
    keyUsage,
    keyUsageCritical: usage?.critical ?? false,
    extendedKeyUsage: extended?.children.map(({ content }) => Buffer.from(content).toString('hex')) ?? null,
    hasUnknownCritical: list.some(({ oid, critical }) => (critical && !KNOWN.has(oid)) || oid === OID.nameConstraints),
    agent,
  }
}

const KNOWN: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.subjectKeyId,
  OID.authorityKeyId,
  AGENT_EXTENSION_HEX,
])

/** The URI names of a subjectAltName, or null when it is none. */
export function namesOf(value: DerValue): readonly string[] | null {
  if (value.tag !== TAG.sequence || value.children.length === 0) return null
  return value.children
    .filter(({ tag }) => tag === URI_NAME)
    .map(({ content }) => Buffer.from(content).toString('latin1'))
}

function constraintsOf(value: DerValue): { readonly isCa: boolean; readonly pathLength: number | null } | null {
  const [ca, length] = value.children
  if (value.tag !== TAG.sequence || value.children.length > 2) return null
  if (ca === undefined) return { isCa: false, pathLength: null }
  if (ca.tag !== TAG.boolean || ca.content[0] === 0) return null
  if (length === undefined) return { isCa: true, pathLength: null }
  const pathLength = smallInteger(length)
  return pathLength === null ? null : { isCa: true, pathLength }
}

function usageOf({ tag, content }: DerValue): number | 'malformed' {
  if (tag !== TAG.bitString || content.length < 2 || content.length > 3) return 'malformed'
  let bits = 0
  for (let bit = 0; bit < (content.length - 1) * 8; bit += 1)
    if (((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) bits |= 1 << bit
  return bits
}

function agentOf(value: DerValue | undefined): Certificate['agent'] | 'malformed' {
  if (value === undefined) return null
  const [uid, number] = value.children
  const epoch = smallInteger(number)
  if (value.tag !== TAG.sequence || value.children.length !== 2 || uid?.tag !== TAG.utf8String || epoch === null)
    return 'malformed'
  const text = Buffer.from(uid.content).toString('latin1')
  return /^[a-z0-9-]{1,64}$/.test(text) ? { uid: text, epoch } : 'malformed'
}

function timeOf({ tag, content }: DerValue): number | null {
  const text = Buffer.from(content).toString('latin1')
  const parts = tag === TAG.utcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) : null
  const long = tag === TAG.generalizedTime ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) : null
  const [, year, month, day, hour, minute, second] = parts ?? long ?? []
  if (year === undefined) return null
  const full = year.length === 4 ? year : `${Number(year) < 50 ? 20 : 19}${year}`
  const iso = `${full}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const ms = Date.parse(iso)
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? null : ms
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
