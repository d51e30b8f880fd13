import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Engine, newHeapGuard, processEngine } from './index.ts'

type Fake = Engine & { bytes: number; ms: number; readonly collected: string[]; run(): void }

/** An engine whose collections find what the test has put there. */
function fake(found: { minor?: number; major?: number } = {}): Fake {
  let planned: (() => void) | null = null
  return {
    bytes: 100,
    ms: 0,
    nowMs() {
      return this.ms
    },
    collected: [],
    bufferBytes() {
      return this.bytes
    },
    collect(kind) {
      this.collected.push(kind)
      this.bytes -= found[kind] ?? 0
    },
    later: (run) => {
      assert.equal(planned, null, 'one look at a time')
      planned = run
    },
    run() {
      const run = planned
      planned = null
      run?.()
    },
  }
}

const options = { lookEveryBytes: 10, burstMs: 400, garbageBytes: 50 }
const rows: readonly {
  name: string
  found?: { minor?: number; major?: number }
  steps: readonly { read: number; bytes: number; ms?: number }[]
  collected: readonly string[]
}[] = [
  { name: 'nothing below the bytes of a look', steps: [{ read: 9, bytes: 999 }], collected: [] },
  { name: 'nothing while the buffers have not grown', steps: [{ read: 10, bytes: 149 }], collected: [] },
  { name: 'nothing where the bytes come slowly', steps: [{ read: 10, bytes: 999, ms: 401 }], collected: [] },
  {
    name: 'a burst behind a quiet time',
    found: { minor: 900 },
    steps: [
      { read: 10, bytes: 100, ms: 9_000 },
      { read: 10, bytes: 999, ms: 400 },
    ],
    collected: ['minor'],
  },
  { name: 'the young first', found: { minor: 50 }, steps: [{ read: 10, bytes: 150 }], collected: ['minor'] },
  {
    name: 'all, when that was not enough',
    found: { minor: 1, major: 60 },
    steps: [{ read: 10, bytes: 160 }],
    collected: ['minor', 'major'],
  },
  {
    name: 'what is alive after that counts as alive: it is not collected again and again',
    steps: [
      { read: 10, bytes: 200 },
      { read: 10, bytes: 249 },
    ],
    collected: ['minor', 'major'],
  },
  {
    name: 'less than before is the new measure',
    found: { minor: 50 },
    steps: [
      { read: 10, bytes: 20 },
      { read: 10, bytes: 70 },
    ],
    collected: ['minor'],
  },
]

for (const { name, found, steps, collected } of rows)
  test(`[PROMISE-BOUNDED] heap guard: ${name}`, () => {
    const engine = fake(found)
    const guard = newHeapGuard(engine, options)
    for (const { read, bytes, ms = 0 } of steps) {
      engine.bytes = bytes
      engine.ms += ms
      guard.read(read)
      engine.run()
    }
    assert.deepEqual(engine.collected, collected)
  })

test('[PROMISE-BOUNDED] heap guard: this engine gives dead buffers back', async () => {
  const engine = processEngine()
  const before = engine.bufferBytes()
  const held = Array.from({ length: 16 }, () => Buffer.allocUnsafeSlow(1024 * 1024))
  assert.ok(engine.bufferBytes() - before >= 16 * 1024 * 1024)
  held.length = 0
  engine.collect('major')
  // buffers are swept on another thread
  for (let look = 0; look < 100 && engine.bufferBytes() - before > 1024 * 1024; look += 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(engine.bufferBytes() - before <= 1024 * 1024)
})
