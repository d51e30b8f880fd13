/** One event. `id` is the newest that came, in this event or before. */
export type ServerEvent = { readonly event: string; readonly data: string; readonly id: string }

/** An event that is longer ends the stream: characters. */
const MAX_EVENT_CHARS = 1024 * 1024

/** Reads server-sent events out of pieces of text. */
export type SseParser = {
  /** The events that are whole now. @throws Error for an event beyond the limit. */
  push(text: string): readonly ServerEvent[]
}

/**
 * A parser as the HTML standard has it (§9.2.6): lines end with CR, LF or both; an event without data is none; what is not
 * whole at the end is dropped. `retry` is ignored: the page has a back-off of its own.
 */
export function newSseParser(maxEventChars: number = MAX_EVENT_CHARS): SseParser {
  let rest = ''
  let isFirst = true
  let afterCr = false
  let id = ''
  let event = ''
  let data: string[] = []
  let size = 0

  const readLine = (line: string): ServerEvent | null => {
    if (line === '') {
      const whole = data.length === 0 ? null : { event: event === '' ? 'message' : event, data: data.join('\n'), id }
      event = ''
      data = []
      size = 0
      return whole
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
    else if (field === 'id' && !value.includes('\0')) id = value
    return null
  }
  const limit = (chars: number): void => {
    if (chars > maxEventChars) throw new Error(`an event has more than ${maxEventChars} characters, which is the limit`)
  }
  return {
    push: (text) => {
      if (text === '') return []
      const given = isFirst && text.startsWith('\ufeff') ? text.slice(1) : text
      isFirst = false
      rest += afterCr && given.startsWith('\n') ? given.slice(1) : given
      if (given !== '') afterCr = false
      const events: ServerEvent[] = []
      let from = 0
      for (const { index, 0: end } of rest.matchAll(/\r\n|\r|\n/g)) {
        size += index - from
        limit(size)
        const whole = readLine(rest.slice(from, index))
        if (whole !== null) events.push(whole)
        from = index + end.length
        afterCr = from === rest.length && end === '\r' // a line feed that comes next belongs to it
      }
      rest = rest.slice(from)
      limit(size + rest.length)
      return events
    },
  }
}
