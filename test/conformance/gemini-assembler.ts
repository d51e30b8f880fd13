/**
 * The tolerant assembler for Gemini: everything that *any* client could rebuild from the bytes of an answer. It reads
 * every framing, both spellings, calls in every place, arguments in pieces by path and in the order in which they come.
 */

/** Everything that some client could see in an answer. */
export type Rebuilt = {
  /** Names and argument texts of calls, by every way of joining. */
  readonly calls: readonly { readonly name: string; readonly args: string }[]
  /** All text, joined. */
  readonly text: string
}

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const folded = (key: string): string => key.toLowerCase().replace(/[^a-z]/g, '')

/** Every text that some client could take for JSON: events, lines, the whole, stretches between outer braces. */
function* textsIn(body: string): Iterable<string> {
  yield body
  for (const block of body.replace(/^\uFEFF/, '').split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = block
      .split(/\r\n|\r|\n/)
      .filter((line) => /^\s*data\s*:/i.test(line))
      .map((line) => line.replace(/^\s*data\s*: ?/i, ''))
    yield data.join('\n')
    yield* data
  }
  for (const line of body.split(/\r\n|\r|\n/)) yield line.replace(/^[\s[,]+|[\s\],]+$/g, '')
  yield* elementsIn(body)
}

/** Objects at the top of an array, as clients read them that do not wait for its end. */
function* elementsIn(body: string): Iterable<string> {
  let depth = 0
  let from = -1
  let inString = false
  for (let i = 0; i < body.length; i += 1) {
    const c = body[i]
    if (inString) {
      if (c === '\\') i += 1
      else if (c === '"') inString = false
    } else if (c === '"') inString = depth > 0
    else if (c === '{') {
      if (depth === 0) from = i
      depth += 1
    } else if (c === '}' && depth > 0) {
      depth -= 1
      if (depth === 0) yield body.slice(from, i + 1)
    }
  }
}

/** Rebuilds the calls and the text of an answer. */
export function rebuild(body: string): Rebuilt {
  const seen = new Set<string>()
  const found: { name: string; args: string }[] = []
  const texts: string[] = []
  const names: string[] = []
  const stream: string[] = []
  const byPath = new Map<string, string>()
  const take = (value: Json): void => {
    const name = ['name', 'toolName', 'tool_name', 'functionName']
      .map((key) => value[key])
      .find((one) => typeof one === 'string')
    const args = ['args', 'arguments', 'input', 'parameters', 'params']
      .map((key) => value[key])
      .find((one) => one !== undefined)
    if (typeof name === 'string') names.push(name)
    if (name !== undefined || args !== undefined)
      found.push({
        name: String(name ?? names.at(-1) ?? ''),
        args: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
      })
    const pieces = value['partialArgs'] ?? value['partial_args']
    for (const piece of Array.isArray(pieces) ? pieces.filter(isObject) : []) {
      const path = String(piece['jsonPath'] ?? piece['json_path'])
      const text = String(
        piece['stringValue'] ?? piece['string_value'] ?? piece['numberValue'] ?? piece['boolValue'] ?? '',
      )
      stream.push(text)
      byPath.set(path, (byPath.get(path) ?? '') + text)
    }
  }
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (!isObject(value)) return
    for (const [key, inner] of Object.entries(value)) {
      const word = folded(key)
      if (/^(?:function|tool)(?:calls?|uses?)$/.test(word))
        for (const one of [inner].flat()) if (isObject(one)) take(one)
      if (
        isObject(inner) &&
        typeof inner['name'] === 'string' &&
        ('args' in inner || 'arguments' in inner || 'input' in inner)
      )
        take(inner)
      if (typeof inner === 'string' && ['text', 'output', 'code', 'finishmessage'].includes(word)) texts.push(inner)
      walk(inner)
    }
  }
  for (const text of textsIn(body)) {
    if (seen.has(text)) continue
    seen.add(text)
    try {
      walk(JSON.parse(text))
    } catch {
      // nobody can read it
    }
  }
  if (stream.length > 0) {
    for (const name of [...names, '']) {
      found.push({ name, args: stream.join('') }, ...[...byPath.values()].map((args) => ({ name, args })))
    }
  }
  return { calls: found, text: texts.join('') }
}
