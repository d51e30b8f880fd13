import type { Headers } from '#pkg/model'
import type { Json } from '#pkg/path/codec/wire/shape'
import { NAMED_BY, REVISION_KEY, SESSION_REVISIONS, STATELESS_REVISIONS } from './methods.ts'
import type { Rpc } from './rpc.ts'

const REVISION = 'mcp-protocol-version'
const SESSION = 'mcp-session-id'
const METHOD = 'mcp-method'
const NAME = 'mcp-name'
const PARAM_PREFIX = 'mcp-param-'

/** Visible ASCII, as every revision asks of a session's id. */
const SESSION_ID = /^[!-~]{1,1024}$/

/** What the headers of one request say. */
export type Said = {
  /** null = none: a first request, or one of the oldest revision. */
  readonly revision: string | null
  readonly session: string | null
}

/** The session that an answer opens; one that no client could send back is none. */
export function sessionIn(headers: Headers): string | null {
  const value = headers[SESSION]
  return typeof value === 'string' && SESSION_ID.test(value) ? value : null
}

/** Reads the headers that concern every message; a text says what is wrong with them. */
export function readHeaders(headers: Headers): Said | string {
  for (const name in headers) {
    if (name.startsWith('mcp-') && typeof headers[name] !== 'string')
      return `has the header ${plain(name)} more than once`
  }
  const revision = saidIn(headers, REVISION)
  if (revision !== null && !SESSION_REVISIONS.has(revision) && !STATELESS_REVISIONS.has(revision))
    return 'names a protocol revision that is not known'
  const session = saidIn(headers, SESSION)
  if (session !== null && !SESSION_ID.test(session)) return 'names a session with characters that no session has'
  if (session !== null && revision !== null && STATELESS_REVISIONS.has(revision))
    return 'names a session, which its protocol revision has not'
  return { revision, session }
}

/** What the headers of a message say otherwise than its body; null = they agree. */
export function disagreement(headers: Headers, said: Said, rpc: Rpc, stateless: boolean): string | null {
  if (rpc.kind === 'result' || rpc.kind === 'error') return null
  const claimed = revisionOf(rpc.params)
  if (claimed !== null && claimed !== said.revision)
    return 'names one protocol revision in a header, another in its body'
  if (claimed === null && stateless && rpc.kind === 'request')
    return 'names a protocol revision in a header that its body does not name'
  const method = saidIn(headers, METHOD)
  if (method !== null && method !== rpc.method) return 'names one method in a header, another in its body'
  if (method === null && stateless && rpc.kind === 'request') return 'does not name its method in the header Mcp-Method'
  return nameFault(headers, rpc, stateless) ?? paramFault(headers, rpc)
}

/** The revision that a message claims in its body; null = none. */
export function revisionOf(params: Json | null): string | null {
  const meta = params?.['_meta']
  if (typeof meta !== 'object' || meta === null || !Object.hasOwn(meta, REVISION_KEY)) return null
  const claimed = (meta as Json)[REVISION_KEY] // checked in the line above
  return typeof claimed === 'string' ? claimed : ''
}

function nameFault(
  headers: Headers,
  rpc: Rpc & { method: string; params: Json | null },
  stateless: boolean,
): string | null {
  const given = saidIn(headers, NAME)
  const member = NAMED_BY.get(rpc.method)
  const subject = member === undefined ? undefined : rpc.params?.[member]
  if (given === null) {
    return stateless && rpc.kind === 'request' && typeof subject === 'string'
      ? 'does not name its subject in the header Mcp-Name'
      : null
  }
  return typeof subject === 'string' && decode(given) === subject
    ? null
    : 'names one subject in a header, another in its body'
}

/** Each `Mcp-Param-*` repeats a value of the arguments: one that stands there nowhere says something of its own. */
function paramFault(headers: Headers, rpc: Rpc & { method: string; params: Json | null }): string | null {
  const names = Object.keys(headers).filter((name) => name.startsWith(PARAM_PREFIX))
  if (names.length === 0) return null
  const leaves = rpc.method === 'tools/call' ? leavesOf(rpc.params?.['arguments']) : new Set<string>()
  for (const name of names) {
    const value = decode(saidIn(headers, name) ?? '')
    if (value === null || !(leaves.has(value) || leaves.has(canonicalNumber(value))))
      return 'has a header Mcp-Param-* with a value that its arguments do not have'
  }
  return null
}

/** `42.0` and `42` are one number. */
function canonicalNumber(text: string): string {
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? String(Number(text)) : text
}

/** Leaves of the arguments that are looked at. */
const MAX_LEAVES = 4_096

function leavesOf(value: unknown): ReadonlySet<string> {
  const leaves = new Set<string>()
  const stack: unknown[] = [value]
  while (stack.length > 0 && leaves.size < MAX_LEAVES) {
    const here = stack.pop()
    if (typeof here === 'object' && here !== null) stack.push(...Object.values(here).slice(0, MAX_LEAVES))
    else if (typeof here === 'string' || typeof here === 'number' || typeof here === 'boolean') leaves.add(String(here))
  }
  return leaves
}

const SENTINEL = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/

/** What a header means: as it is, or base64 of UTF-8 between marks; null for marks around something else. */
function decode(given: string): string | null {
  const value = given.replace(/^[ \t]+|[ \t]+$/g, '')
  if (!(value.startsWith('=?base64?') && value.endsWith('?='))) return value
  const coded = SENTINEL.exec(value)?.[1]
  if (coded === undefined) return null
  const text = Buffer.from(coded, 'base64').toString('utf8')
  return Buffer.from(text, 'utf8').toString('base64') === coded ? text : null
}

function saidIn(headers: Headers, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' ? value.trim() : null
}

function plain(name: string): string {
  return /^[a-z0-9-]{1,64}$/.test(name) ? name : 'mcp-*'
}
