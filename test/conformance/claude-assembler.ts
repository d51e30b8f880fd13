/**
 * The tolerant assembler of the Messages API: everything that *any* client could rebuild from the bytes of an answer.
 * It joins the pieces of input by the index of their block, by the place of the block among those that came, by the block
 * that came last, and all together; with what the block started with before them, in their place, or not at all; and
 * it takes every object that has a name and an input for a call, wherever it stands.
 */
import { type Rebuilt, valuesOf } from './assembler.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Members whose text a person or a program may read. */
const TEXT_MEMBERS = new Set(['text', 'thinking', 'content', 'message', 'explanation', 'summary'])

/** What the provider says it ran itself, and what came of it: no client runs it. */
const isEvidence = (value: Json): boolean =>
  /^(?:server_tool_use|mcp_tool_use|mcp_tool_listing|[a-z_]+_tool_result)$/.test(String(value['type']))

type Join = { readonly names: string[]; readonly given: string[]; readonly pieces: string[] }

/** Rebuilds the calls and the text of an answer. */
export function rebuildClaude(text: string): Rebuilt {
  const joins = new Map<string, Join>()
  const texts: string[] = []
  let order = 0
  let message = 0
  let last = ''
  const joinOf = (key: string): Join => {
    const known = joins.get(key) ?? { names: [], given: [], pieces: [] }
    joins.set(key, known)
    return known
  }
  const keysOf = (index: unknown): readonly string[] => [
    `${message} index ${index}`,
    `${message} place ${index}`,
    `last ${last}`,
    'all',
  ]
  const open = (value: Json, keys: readonly string[]): void => {
    const given = value['input'] ?? value['arguments'] ?? value['args'] ?? value['parameters']
    for (const key of keys) {
      const join = joinOf(key)
      if (typeof value['name'] === 'string') join.names.push(value['name'])
      if (given !== undefined) join.given.push(typeof given === 'string' ? given : JSON.stringify(given))
    }
  }
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (!isObject(value) || isEvidence(value)) return
    if (typeof value['name'] === 'string' || 'partial_json' in value) open(value, [`alone ${joins.size}`])
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'string') {
        if (TEXT_MEMBERS.has(key)) texts.push(member)
      } else walk(member)
    }
  }
  for (const value of valuesOf(text)) {
    walk(value)
    if (!isObject(value)) continue
    if (value['type'] === 'message_start') {
      message += 1
      order =
        isObject(value['message']) && Array.isArray(value['message']['content'])
          ? value['message']['content'].length
          : 0
    }
    const block = value['content_block']
    if (isObject(block)) {
      last = `${message}:${order}`
      if (!isEvidence(block)) {
        open(block, [`${message} index ${value['index']}`, `${message} place ${order}`, `last ${last}`, 'all'])
      }
      order += 1
    }
    const delta = value['delta']
    if (isObject(delta) && typeof delta['partial_json'] === 'string') {
      for (const key of keysOf(value['index'])) joinOf(key).pieces.push(delta['partial_json'])
    }
  }
  const calls: { name: string; args: string }[] = []
  for (const { names, given, pieces } of joins.values()) {
    if (names.length === 0) continue
    const joined = pieces.join('')
    const args = new Set([joined, given.join(''), given.join('') + joined, given.at(-1) ?? '', ...pieces])
    for (const name of new Set([names[0] ?? '', names.at(-1) ?? '', names.join('')]))
      for (const each of args) calls.push({ name, args: each })
  }
  return { calls, text: texts.join('') }
}
