import assert from 'node:assert/strict'
import { newSseParser, type ServerEvent } from '../../pkg/faces/dashboard/browser/sse.ts'
import type { Target } from './runner/target.ts'

const MAX_EVENT_CHARS = 256

/** The events before the first fault, and whether there was one. */
function read(pieces: readonly string[]): { readonly events: readonly ServerEvent[]; readonly isOver: boolean } {
  const parser = newSseParser(MAX_EVENT_CHARS)
  const events: ServerEvent[] = []
  try {
    for (const piece of pieces) events.push(...parser.push(piece))
    return { events, isOver: false }
  } catch (error) {
    assert.match(String(error), /which is the limit/)
    return { events, isOver: true }
  }
}

/** The page of the dashboard reads the same events however they are cut, and none beyond the limit. */
export const target: Target = {
  name: 'dashboard-events',
  words: ['data: ', 'data:', 'event: verdict', 'id: v_1', ': ping', '\n\n', '\r\n', '\r', '\r\r\n', '\ufeff', '\0'],
  run(bytes) {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    const whole = read([text])
    const single = read([...text])
    assert.equal(single.isOver, whole.isOver)
    if (whole.isOver) assert.deepEqual(single.events.slice(0, whole.events.length), whole.events)
    else assert.deepEqual(single.events, whole.events)
    for (const { data } of single.events) assert.ok(data.length <= MAX_EVENT_CHARS)
    return `${Math.min(whole.events.length, 5)} ${whole.isOver}`
  },
}
