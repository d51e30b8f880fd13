import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sharedReads } from './read-buffer.ts'

const READ_BYTES = 16 * 1024

test('[PROMISE-BOUNDED] reads through one buffer: every copy keeps its bytes, and holds no more memory than a slab', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: READ_BYTES }), { maxLength: 60 }), (lengths) => {
      let counted = 0
      const { buffer, callback } = sharedReads((bytes) => {
        counted += bytes
      })
      const into = typeof buffer === 'function' ? buffer() : buffer
      const pushed: Buffer[] = []
      const connection = { push: (bytes: Buffer) => pushed.push(bytes) < 3 }
      lengths.forEach((length, at) => {
        into.fill(at + 1)
        assert.equal(callback.call(connection as never, length, into), at < 2, 'the connection says when it is full')
      })
      assert.deepEqual(
        pushed.map((bytes) => bytes.length),
        lengths,
      )
      pushed.forEach((bytes, at) => {
        assert.ok(bytes.every((byte) => byte === (at + 1) % 256))
        assert.ok(bytes.buffer.byteLength <= Math.max(bytes.length, 8 * 1024))
      })
      assert.equal(
        counted,
        lengths.reduce((sum, length) => sum + length, 0),
      )
    }),
    { numRuns: 50 },
  )
})
