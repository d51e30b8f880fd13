import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newSseParser, type ServerEvent } from './sse.ts'

function read(pieces: readonly string[]): readonly ServerEvent[] {
  const parser = newSseParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

const cutAt = (text: string, at: number): readonly string[] => [text.slice(0, at), text.slice(at)]

const STREAM = [
  '\ufeff: events\n\n',
  'id: v_1\nevent: verdict\ndata: {"a":1}\n\n',
  'event: agent\r\ndata: one\r\ndata: two\r\n\r\n',
  'data:tight\r\r',
  'event: nothing\n\n',
  'retry: 5\nunknown: x\ndata\nid: v_2\n\n',
  'id: v\u00003\ndata:  two spaces\n\n',
  'data: not whole\n',
].join('')

const EVENTS: readonly ServerEvent[] = [
  { event: 'verdict', data: '{"a":1}', id: 'v_1' },
  { event: 'agent', data: 'one\ntwo', id: 'v_1' },
  { event: 'message', data: 'tight', id: 'v_1' },
  { event: 'message', data: '', id: 'v_2' },
  { event: 'message', data: ' two spaces', id: 'v_2' },
]

test('[DASH-06] events are the same whole, character by character, and at every split', () => {
  assert.deepEqual(read([STREAM]), EVENTS)
  assert.deepEqual(read([...STREAM]), EVENTS)
  for (let at = 0; at <= STREAM.length; at += 1) assert.deepEqual(read(cutAt(STREAM, at)), EVENTS, `split at ${at}`)
})

test('[DASH-06] any events, with any line ends and in any pieces, come back as they were', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n\0]/.test(text))
  const event = fc.record({ event: line, data: fc.array(line, { minLength: 1, maxLength: 3 }), id: line })
  const end = fc.constantFrom('\n', '\r', '\r\n')
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 5 }),
      end,
      fc.array(fc.nat(400), { maxLength: 8 }),
      (events, eol, cuts) => {
        const text = events
          .map(({ event: name, data, id }) =>
            [`id: ${id}`, `event: ${name}`, ...data.map((each) => `data: ${each}`), '', ''].join(eol),
          )
          .join('')
        const places = [...new Set([0, ...cuts, text.length])].filter((at) => at <= text.length).sort((a, b) => a - b)
        const pieces = places.map((at, index) => text.slice(at, places[index + 1] ?? text.length))
        const expected = events.map(({ event: name, data, id }) => {
          return { event: name === '' ? 'message' : name, data: data.join('\n'), id }
        })
        assert.deepEqual(read(pieces), expected)
      },
    ),
    { numRuns: 300 },
  )
})

test('[DASH-06] an event beyond the limit ends the stream, in one line or in many', () => {
  assert.throws(() => newSseParser(100).push(`data: ${'x'.repeat(100)}`), /more than 100 characters/)
  const parser = newSseParser(100)
  assert.throws(() => {
    for (let line = 0; line < 20; line += 1) parser.push('data: 0123456789\n')
  }, /more than 100 characters/)
  const fine = newSseParser(100)
  for (let event = 0; event < 20; event += 1) assert.equal(fine.push(`data: ${'x'.repeat(90)}\n\n`).length, 1)
})
