import type { Headers } from '#pkg/model'
import { valuesOf } from './headers.ts'

/** How every agent token begins. DESIGN §8. */
export const TOKEN_PREFIX = 'sp_vk_'

const TOKEN = /^sp_vk_[A-Za-z0-9_-]{1,256}$/
const SCHEME = 'bearer '

/** Where the SDKs put their API key. */
const PLACES = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const

/** The query parameter in which clients of some providers put their API key. */
const KEY = 'key='

/**
 * The agent's local token, from wherever an SDK puts its API key: a header, or the parameter `key` of the query
 * (empty or with its `?`). Other keys are no tokens; two different tokens are none, because no one could say which
 * agent asks.
 */
export function tokenOf(headers: Headers, query = ''): string | null {
  return oneToken(keysOf(headers, query))
}

/** The one token among some words; null if there is none, or two different ones. */
export function oneToken(words: Iterable<string>): string | null {
  let found: string | null = null
  for (const key of words) {
    if (!TOKEN.test(key)) continue
    if (found !== null && found !== key) return null
    found = key
  }
  return found
}

/** True for a text that holds an agent's token, also behind escapes of a URL. */
export function holdsToken(text: string): boolean {
  if (text.includes(TOKEN_PREFIX)) return true
  return text.includes('%') && unescaped(text).includes(TOKEN_PREFIX)
}

/** A query without the values of its parameter `key`, the one place where a token may stand in a target. */
export function withoutKeys(query: string): string {
  return query
    .split('&')
    .map((pair) => (isKey(pair) ? KEY : pair))
    .join('&')
}

function* keysOf(headers: Headers, query: string): Iterable<string> {
  for (const place of PLACES)
    for (const value of valuesOf(headers, place)) {
      const key = place === 'authorization' ? bearerOf(value) : value
      if (key !== null) yield key
    }
  if (!query.includes(TOKEN_PREFIX)) return
  for (const pair of query.split('&')) if (isKey(pair)) yield pair.slice(pair.indexOf('=') + 1)
}

function isKey(pair: string): boolean {
  return pair.startsWith(KEY) || pair.startsWith(`?${KEY}`)
}

function bearerOf(value: string): string | null {
  if (value.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null
  return value.slice(SCHEME.length).trimStart()
}

/** Escapes of ASCII undone, over and over: a reader behind us may undo them more than once. */
function unescaped(text: string): string {
  let out = text
  for (let round = 0; round < MAX_ROUNDS && out.includes('%'); round += 1) {
    const next = out.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (next === out) break
    out = next
  }
  return out
}

const MAX_ROUNDS = 5
