import { jsonText, printable } from './escape.ts'

/** Bytes that may wait for a slow reader; a terminal never makes them wait. */
const MAX_BACKLOG_BYTES = 1024 * 1024

/** One line of the log for a person: `level event key=value …`. What is no JSON comes as it is, escaped. */
export function humanLine(line: string): string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return `${printable(line.trimEnd())}\n`
  }
  const { level = '', event = '', time: _time, ...fields } = Object(value) as Readonly<Record<string, unknown>> // JSON
  const more = Object.entries(fields).map(([name, field]) => ` ${printable(name)}=${valueText(field)}`)
  return `${printable(String(level)).padEnd(5)} ${printable(String(event))}${more.join('')}\n`
}

/** Takes the lines of a log and writes them for a person. A reader that is too far behind misses lines: it must not stop us. */
export function humanSink(stream: {
  readonly writableLength: number
  write(text: string): unknown
}): (line: string) => void {
  return (line) => {
    if (stream.writableLength + line.length <= MAX_BACKLOG_BYTES) stream.write(humanLine(line))
  }
}

function valueText(value: unknown): string {
  return typeof value === 'string' && /^[\w@%+:,./-]+$/.test(value) ? value : jsonText(value)
}
