import type { AuditEvent } from '#pkg/model'
import { type ExportProduct, SCHEMA_VERSIONS, spiffeIdOf } from './contract.ts'
import { codeOf, isFinding, labelsOf, SEVERITIES, severityOf, taxonomyOfEvent, timeMsOf, titleTextOf } from './grade.ts'
import { outcomeOf, passed } from './outcome.ts'
import { clipped, visible } from './text.ts'

/** The longest value of a key, in characters, by the dictionary of CEF; what is longer is cut. */
const MAX_CHARS: Readonly<Record<string, number>> = {
  act: 63,
  app: 31,
  cat: 1023,
  duid: 1023,
  duser: 1023,
  externalId: 40,
  msg: 1023,
  outcome: 63,
  reason: 1023,
  suid: 1023,
  suser: 1023,
  flexString1: 1023,
  flexString2: 1023,
}
const MAX_CUSTOM_CHARS = 4_000
/** Of vendor, product, version, name and the like in the header. */
const MAX_HEADER_CHARS = 512

/** A key of the extension, its value, and the label of a custom one. Absent values are not written. */
type Pair = readonly [key: string, value: string | number | null | undefined, label?: string]

/** One event as a line of CEF. Each line has the same keys in the same order for the same kind. */
export function cefLine(event: AuditEvent, product: ExportProduct): string {
  const severity = String(SEVERITIES[severityOf(event)].ten)
  const head = [product.vendor, product.name, product.version, codeOf(event), titleTextOf(event), severity]
  return `CEF:${SCHEMA_VERSIONS.cef}|${head.map(headerText).join('|')}|${extensionText(pairsOf(event, product))}`
}

function pairsOf(event: AuditEvent, product: ExportProduct): readonly Pair[] {
  const stamp: readonly Pair[] = [
    ['rt', timeMsOf(event)],
    ['externalId', event.id],
    ['cat', event.kind],
  ]
  return [...stamp, ...OF_KIND[event.kind](event as never, product)] // each row reads the kind that it stands under
}

type Row<K extends AuditEvent['kind']> = (
  event: Extract<AuditEvent, { readonly kind: K }>,
  product: ExportProduct,
) => readonly Pair[]

const OF_KIND: { readonly [K in AuditEvent['kind']]: Row<K> } = {
  verdict: (event, product) => [
    ['act', event.action],
    ['outcome', passed(outcomeOf(event)) ? 'success' : 'failure'],
    ['suser', event.agent],
    ['suid', spiffeIdOf(event.agent, product)],
    ['app', event.dialect],
    ['msg', event.message],
    ['cs1', event.policy, 'policy'],
    ['cs2', event.rule, 'rule'],
    ['cs3', event.session, 'session'],
    ['cs4', event.reasons.join(' '), 'reasons'],
    ['cs5', taxonomyText(event), 'taxonomy'],
    ['cs6', event.caller, 'caller'],
    ['cn1', event.epoch, 'epoch'],
    ['cn2', event.generation, 'generation'],
    ['cn3', event.us, 'judgementUs'],
    ['flexString1', event.direction, 'direction'],
    ['flexString2', event.tool, 'tool'],
  ],
  move: (event, product) => [
    ['act', event.to],
    ['outcome', 'success'],
    ['suser', event.by],
    ['duser', event.agent],
    ['duid', spiffeIdOf(event.agent, product)],
    ['reason', event.reason],
    ['cs1', event.from, 'from'],
    ['cs2', event.source, 'source'],
    ['cs3', event.verdictId, 'verdict'],
    ['cs4', event.code, 'reasons'],
    ['cs5', taxonomyText(event), 'taxonomy'],
    ['cn1', event.epoch, 'epoch'],
  ],
  issuance: (event) => [
    ['act', 'issue'],
    ['outcome', 'success'],
    ['duser', event.agent],
    ['duid', event.spiffeId],
    ['cs1', event.credential, 'credential'],
    ['cs2', event.serial, 'serial'],
    ['cs3', event.notAfter, 'notAfter'],
    ['cs4', event.slot, 'slot'],
    ['cs5', event.audience, 'audience'],
    ['cn1', event.epoch, 'epoch'],
  ],
  'key-use': (event, product) => [
    ['act', 'use-key'],
    ['outcome', 'success'],
    ['suser', event.agent],
    ['suid', spiffeIdOf(event.agent, product)],
    ['cs1', event.provider, 'provider'],
    ['cs2', event.key, 'key'],
  ],
  ca: (event) => [
    ['act', event.to],
    ['outcome', 'success'],
    ['suser', event.by],
    ['reason', event.reason],
    ['cs1', event.authority, 'authority'],
    ['cs2', event.slot, 'slot'],
    ['cs3', event.from, 'from'],
  ],
  open: (event) => [
    ['act', 'open'],
    ['outcome', isFinding(event) ? 'failure' : 'success'],
    ['cs1', event.stream, 'stream'],
    ['cs2', event.key, 'key'],
    ['cs3', event.found, 'found'],
    ['cs4', event.head?.hash, 'headHash'],
    ['cs5', taxonomyText(event), 'taxonomy'],
    ['cn1', event.earlier.length, 'earlier'],
    ['cn2', event.head?.seq, 'headSeq'],
  ],
}

function taxonomyText(event: AuditEvent): string | null {
  const taxonomy = taxonomyOfEvent(event)
  return taxonomy === null ? null : labelsOf(taxonomy).join(', ')
}

function extensionText(pairs: readonly Pair[]): string {
  const parts: string[] = []
  for (const [key, value, label] of pairs) {
    if (value === null || value === undefined || value === '') continue
    if (label !== undefined) parts.push(`${key}Label=${label}`)
    parts.push(`${key}=${valueText(clipped(String(value), MAX_CHARS[key] ?? MAX_CUSTOM_CHARS))}`)
  }
  return parts.join(' ')
}

/** In the header `\` and `|` are escaped; a line break cannot be. */
function headerText(text: string): string {
  return visible(clipped(text, MAX_HEADER_CHARS)).replace(/[\\|]/g, '\\$&')
}

/** In a value `\`, `=` and line breaks are escaped. */
function valueText(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => visible(line).replace(/[\\=]/g, '\\$&'))
    .join('\\n')
}
