/** Shows nothing, or turns the direction of what is shown; joiners and selectors are looked at where they stand. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\u034f|\u17b4|\u17b5|\u180b|\u180c|\u180d|\u180f|[\u{e0000}-\u{e0fff}]|\u{1d173}|\u{1d174}/u

/** A joiner or selector behind what it belongs to: a pictograph, or a letter of a script that needs it. */
const JOINED =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}#*0-9]|\ufe0f|\u20e3)[\u200d\ufe0e\ufe0f]|(?<=[^\0-\u02ff\P{L}]|[^\0-\u02ff\P{M}])[\u200c\u200d]/gu

/** A joiner or selector with nothing that it could belong to. */
const STRAY = /\u200c|\u200d|[\ufe00-\ufe0f]/u

/** Does a text hold characters that a person does not see and a model reads? */
export function hidesText(text: string): boolean {
  if (/^[\t\n\r\x20-\x7e]*$/.test(text)) return false
  return HIDDEN.test(text) || STRAY.test(text.replace(JOINED, ''))
}

/** Nodes of one descriptor that are looked at; a larger one counts as hiding something. */
const MAX_NODES = 16_384

/** Where in a value a text, or a key, hides something: its path, keys that hide something as `?`; null = nowhere. */
export function hiddenAt(value: unknown): string | null {
  const stack: { readonly value: unknown; readonly path: string }[] = [{ value, path: '' }]
  for (let nodes = 0; stack.length > 0; nodes += 1) {
    const { value: here, path } = stack.pop() ?? { value: null, path: '' }
    if (nodes > MAX_NODES) return path
    if (typeof here === 'string' && hidesText(here)) return path
    if (typeof here !== 'object' || here === null) continue
    for (const [key, inner] of Object.entries(here)) {
      if (hidesText(key)) return `${path}/?`
      stack.push({ value: inner, path: `${path}/${key}` })
    }
  }
  return null
}

/** A name without what the eye does not tell apart: two names with one shape look alike. */
export function shapeOf(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replace(/[1i|!]/g, 'l')
    .replaceAll('0', 'o')
    .replaceAll('5', 's')
}
