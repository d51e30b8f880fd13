import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { newSseSplitter } from './index.ts'

const MIB = 1024 * 1024
const LIMITS = { frameBytes: 4 * MIB }
const pad = (lines: number): string => `data: ${'x'.repeat(MIB)}\n${'data\n'.repeat(lines - 1)}\n`

const rows: readonly (readonly [name: string, stream: string, expected: string])[] = [
  ['a large event of 1024 lines', pad(1024), 'event'],
  ['a large event of one line more', pad(1025), 'WIRE_FRAME_TOO_LARGE'],
  ['many lines of an event that is not large', `${'data\n'.repeat(2_000)}\n`, 'event'],
  ['a name with a long run of blanks inside', `data: x\na${' '.repeat(MIB / 2)}b: c\n\n`, 'event'],
  ['a field name before a long run of blanks', `data: x\ndata${' '.repeat(MIB / 2)}: c\n\n`, 'WIRE_FRAMING'],
  ['a field name behind a long run of blanks', `data: x\n${' '.repeat(MIB / 2)}data: c\n\n`, 'WIRE_FRAMING'],
]

for (const [name, stream, expected] of rows) {
  test(`[SSE-08] ${name}: ${expected}`, () => {
    const bytes = Buffer.from(stream)
    for (const size of [bytes.length, 64 * 1024, 1_001]) {
      const splitter = newSseSplitter(LIMITS)
      const frames = []
      for (let at = 0; at < bytes.length; at += size) frames.push(...splitter.push(bytes.subarray(at, at + size)))
      frames.push(...splitter.end())
      const [first] = frames
      assert.equal(first?.kind === 'fault' ? first.reason : first?.kind, expected)
      assert.equal(Buffer.compare(Buffer.concat(frames.map(({ raw }) => raw)), bytes), 0)
      assert.equal(splitter.heldBytes, 0)
    }
  })
}

test('[SSE-06] a name is that of a field whatever stands around it', () => {
  const around = fc.constantFrom('', ' ', '\t', '\u200b', '\u{e0041}', '\x01', '\ufeff')
  const some = fc.array(around, { maxLength: 3 }).map((all) => all.join(''))
  fc.assert(
    fc.property(some, some, fc.constantFrom('event', 'ID', 'x', '\u{1f600}'), (left, right, word) => {
      const [frame] = newSseSplitter(LIMITS).push(Buffer.from(`data: x\n${left}${word}${right}: y\n\n`))
      const isField = ['event', 'id'].includes(word.toLowerCase()) && `${left}${word}${right}` !== word.toLowerCase()
      assert.equal(frame?.kind, isField ? 'fault' : 'event')
    }),
  )
})
