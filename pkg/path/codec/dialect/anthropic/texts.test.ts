import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spread } from './texts.ts'

const rows: readonly (readonly [
  name: string,
  pieces: readonly string[],
  edited: string,
  expected: readonly string[],
])[] = [
  ['an edit inside one piece', ['abc', 'def', 'ghi'], 'abcdXfghi', ['abc', 'dXf', 'ghi']],
  ['an edit over two pieces', ['abc', 'def', 'ghi'], 'abXfghi', ['abX', 'f', 'ghi']],
  ['an edit over all', ['abc', 'def'], 'X', ['X', '']],
  ['what is behind the last piece', ['abc', 'def'], 'abcdefX', ['abc', 'defX']],
  ['an empty piece', ['', 'def'], 'X', ['', 'X']],
]
for (const [name, pieces, edited, expected] of rows)
  test(`[ANTHROPIC-03] an edited text over its pieces: ${name}`, () => {
    assert.deepEqual(spread(pieces, pieces.join(''), edited), expected)
  })

test('[ANTHROPIC-03] any edit: nothing is lost, nothing comes twice', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 })
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), text, fc.nat(), fc.nat(), (pieces, fresh, from, length) => {
      const joined = pieces.join('')
      const at = from % (joined.length + 1)
      const edited = joined.slice(0, at) + fresh + joined.slice(at + (length % (joined.length - at + 1)))
      assert.equal(spread(pieces, joined, edited).join(''), edited)
    }),
  )
})
