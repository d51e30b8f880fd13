/** Where a value stands in a text: UTF-16 offsets, without white space around it. */
export type JsonSpan = { readonly start: number; readonly end: number }

/**
 * Where the elements of the array at `path` (keys, positions in arrays) stand in a JSON text. `null` = there is no
 * array. The text must have been found strict before: it is not checked again.
 */
export function elementSpans(text: string, path: readonly (string | number)[]): readonly JsonSpan[] | null {
  const at = startOf(text, path)
  if (at === null || text[at] !== '[') return null
  const spans: JsonSpan[] = []
  for (const start of children(text, at)) spans.push({ start: start.value, end: skipValue(text, start.value) })
  return spans
}

/** Where the value at `path` stands in a JSON text, or null. The text must have been found strict before. */
export function valueSpan(text: string, path: readonly (string | number)[]): JsonSpan | null {
  const start = startOf(text, path)
  return start === null ? null : { start, end: skipValue(text, start) }
}

function startOf(text: string, path: readonly (string | number)[]): number | null {
  let at = skipSpace(text, 0)
  for (const step of path) {
    const next = childAt(text, at, step)
    if (next === null) return null
    at = next
  }
  return at
}

type Child = { readonly key: string | number; readonly value: number }

function childAt(text: string, at: number, step: string | number): number | null {
  for (const child of children(text, at)) if (child.key === step) return child.value
  return null
}

/** Keys (or positions) and where their values begin, of the container at `at`; none where there is no container. */
function* children(text: string, at: number): Generator<Child> {
  const object = text[at] === '{'
  if (!object && text[at] !== '[') return
  let i = skipSpace(text, at + 1)
  for (let position = 0; i < text.length && text[i] !== '}' && text[i] !== ']'; position++) {
    let key: string | number = position
    if (object) {
      const end = skipString(text, i)
      key = keyOf(text.slice(i, end))
      i = skipSpace(text, skipSpace(text, end) + 1)
    }
    yield { key, value: i }
    i = skipSpace(text, skipValue(text, i))
    if (text[i] === ',') i = skipSpace(text, i + 1)
  }
}

function keyOf(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
}

function skipSpace(text: string, from: number): number {
  let i = from
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break
  }
  return i
}

/** Behind the string whose opening quote stands at `from`. */
function skipString(text: string, from: number): number {
  let i = from + 1
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) return i + 1
    if (c === 0x5c) i++
  }
  return text.length
}

/** Behind the value that begins at `from`. */
function skipValue(text: string, from: number): number {
  let open = 0
  let i = from
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = skipString(text, i)
    else if (c === 0x7b || c === 0x5b) {
      open++
      i++
    } else if (c === 0x7d || c === 0x5d) {
      if (open === 0) return i
      open--
      i++
    } else if (open === 0) return skipScalar(text, i)
    else {
      i++
      continue
    }
    if (open === 0) return i
  }
  return i
}

function skipScalar(text: string, from: number): number {
  let i = from
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x2c || c === 0x7d || c === 0x5d || c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) break
  }
  return i
}
