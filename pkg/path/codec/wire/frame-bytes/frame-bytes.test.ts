import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameBytes } from './index.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index % 251)

test('[FRAME-01] what was added comes back in one piece, frame after frame', () => {
  const sizes = fc.array(fc.oneof(fc.nat(9), fc.constantFrom(511, 512, 513, 65_535, 65_536, 65_537, 200_000)), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.nat(5)), { maxLength: 4 }), (frames) => {
      const kept = new FrameBytes()
      for (const [pieces, last] of frames) {
        const all = bytes(pieces.reduce((sum, size) => sum + size, last))
        let at = 0
        for (const size of pieces) {
          kept.add(all.subarray(at, at + size))
          at += size
        }
        assert.equal(kept.length, at)
        assert.equal(Buffer.compare(kept.takeWith(all.subarray(at)), all), 0)
        assert.equal(kept.length, 0)
      }
    }),
    { numRuns: 300 },
  )
})

test('[FRAME-01] a frame without a piece before is not copied, and what is kept is a copy', () => {
  const kept = new FrameBytes()
  const last = bytes(10)
  assert.equal(kept.takeWith(last), last)
  const piece = Uint8Array.of(1)
  kept.add(piece)
  piece[0] = 2
  assert.deepEqual([...kept.takeWith(new Uint8Array(0))], [1])
})
