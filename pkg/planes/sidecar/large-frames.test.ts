import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnswerStream, Frame } from '#pkg/model'
import { newHeldBudget } from '#pkg/path/enforce'
import { FrameDebt, isLarge, readLarge } from './large-frames.ts'

const KIB = 1024
const LIMITS = { heldBytesPerStream: 300 * KIB, jsonDepth: 8, turnBytes: 64 * KIB }

const stream = (json?: 'envelope'): AnswerStream => ({
  read: () => [],
  end: () => [],
  write: () => [],
  original: () => '',
  answerId: () => null,
  ...(json === undefined ? {} : { json }),
})

const eventOf = (data: string): Frame & { kind: 'event' } => ({
  kind: 'event',
  raw: Buffer.from(data),
  at: 0,
  event: null,
  data,
})

test('[FRAME-04] what is beyond the share of a stream counts for the process, at its cap and one above', () => {
  const budget = newHeldBudget(1000)
  const [one, other] = [100, 100].map((heldBytesPerStream) => new FrameDebt(budget, { heldBytesPerStream }))
  assert.ok(one !== undefined && other !== undefined)
  const steps = [
    [one, 100, true, 0],
    [one, 600, true, 500],
    [other, 601, false, 500],
    [other, 600, true, 1000],
    [other, 100, true, 500],
    [one, 1101, false, 500],
    [one, 1100, true, 1000],
    [other, 101, false, 1000],
    [one, 0, true, 0],
    [other, 0, true, 0],
  ] as const
  for (const [debt, bytes, fits, held] of steps) {
    assert.equal(debt.cover(bytes), fits, `${bytes}`)
    assert.equal(budget.heldBytes, held, `${bytes}`)
  }
})

const picture = 'A'.repeat(2_000 * KIB)
/** So many units outside of the picture, quotes and all. */
const beside = (units: number): string => {
  const empty = `{"picture":"","rest":[]}`.length
  return `{"picture":"${picture}","rest":[${'1'.padEnd(units - empty, ' ')}]}`
}
const strings = (size: number): string => JSON.stringify(Array.from({ length: 16 }, () => 'x'.repeat(size)))
const nested = (depth: number): string => `${'['.repeat(depth)}"${picture}"${']'.repeat(depth)}`

const rows: readonly (readonly [name: string, data: string, reason: string | null])[] = [
  ['a picture', beside(100), null],
  ['as much beside it as a stream may hold back', beside(300 * KIB), null],
  ['one more', beside(300 * KIB + 1), 'WIRE_FRAME_TOO_LARGE'],
  ['many strings that are long', strings(64 * KIB), null],
  ['many strings that are not', strings(64 * KIB - 1), 'WIRE_FRAME_TOO_LARGE'],
  ['many small values', JSON.stringify(Array.from({ length: 200_000 }, () => ({}))), 'WIRE_FRAME_TOO_LARGE'],
  ['a key twice', `{"a":"${picture}","a":1}`, 'WIRE_DUPLICATE_KEY'],
  ['depth at its cap', nested(8), null],
  ['depth above it', nested(9), 'WIRE_DEPTH'],
  ['no end', `{"a":"${picture}`, 'WIRE_INVALID_JSON'],
]

for (const [name, data, reason] of rows) {
  test(`[FRAME-03] a large event: ${name}: ${reason ?? 'is read'}`, async () => {
    let turns = 0
    const yieldTurn = async (): Promise<void> => {
      turns += 1
    }
    const frame = eventOf(data)
    assert.equal(isLarge(frame), true)
    for (const json of [undefined, 'envelope'] as const) {
      turns = 0
      const read = await readLarge(frame, stream(json), LIMITS, yieldTurn)
      assert.equal(read.ok ? null : read.reason, reason)
      if (read.ok) assert.deepEqual([read.value, turns], [JSON.parse(data), Math.ceil(data.length / (64 * KIB)) - 1])
    }
  })
}

test('[FRAME-03] a small event, a comment and a fault are no large events', () => {
  const raw = Buffer.alloc(400 * KIB)
  assert.equal(isLarge(eventOf('x'.repeat(256 * KIB))), false)
  assert.equal(isLarge({ kind: 'comment', raw, at: 0 }), false)
  assert.equal(isLarge({ kind: 'fault', raw, at: 0, reason: 'WIRE_FRAMING' }), false)
})
