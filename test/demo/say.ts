import { styleText } from 'node:util'

/** A claim of the demo that did not hold. Its message is what the demo would have said. */
export class ClaimFailed extends Error {}

const WIDTH = 78
const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text) // plain off a terminal

/** A scene's title. */
export function title(text: string): void {
  console.log(`\n${style('bold', text)}`)
}

/** A line of the story, wrapped to 80 columns. */
export function tell(text: string): void {
  for (const line of wrap(text, WIDTH - 2)) console.log(`  ${line}`)
}

/** What somebody said, quoted. */
export function quote(who: string, text: string): void {
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : wrap(line, WIDTH - 13)))
  for (const [index, line] of lines.entries())
    console.log(`  ${style('dim', `${index === 0 ? who : ''}`.padEnd(9))}│ ${line}`)
}

/** Throws {@link ClaimFailed} if it does not hold, and prints nothing: for what a later claim sums up. */
export function must(holds: boolean, text: string, seen?: unknown): asserts holds {
  if (holds) return
  const what = seen === undefined ? '' : `\n  seen: ${JSON.stringify(seen)?.slice(0, 1_000)}`
  throw new ClaimFailed(`${text}${what}`)
}

/** Prints the claim if it holds; throws {@link ClaimFailed} if not. */
export function claim(holds: boolean, text: string, seen?: unknown): asserts holds {
  must(holds, text, seen)
  for (const [index, line] of wrap(text, WIDTH - 4).entries())
    console.log(index === 0 ? `  ${style('green', '✓')} ${line}` : `    ${line}`)
}

/** Prints why the demo ends badly. */
export function failed(text: string): void {
  console.error(`\n${styleText('red', '✗ the demo failed:', { stream: process.stderr })} ${text}`)
}

/** A table with columns as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)))
  const lineOf = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? ''
        return /^[\d,]+$/.test(cell) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  console.log(`  ${style('dim', lineOf(head))}`)
  for (const row of rows) console.log(`  ${lineOf(row)}`)
}

/** A time of the story. */
export function milliseconds(value: number | null): string {
  return value === null ? 'never' : `${count(value)} ms`
}

/** A whole number with thousands separators. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).flatMap((each) => piecesOf(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** A word that is longer than a line, in lines. */
function piecesOf(word: string, width: number): readonly string[] {
  const pieces: string[] = []
  for (let at = 0; at < word.length; at += width) pieces.push(word.slice(at, at + width))
  return pieces
}
