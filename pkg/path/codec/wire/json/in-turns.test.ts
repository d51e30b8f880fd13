import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseStrict, parseTextChunked } from './index.ts'

test('[JSON-12] a text read in turns is read as at once, whatever the size of a turn', async () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '"a"',
    '"A"',
    '1',
    '1e999',
    'true',
    ' ',
    '\\',
    '\ud83d',
    '\ude00',
    'é',
    '{"a":[1,"x"]}',
  )
  const texts = fc.oneof(
    fc.json(),
    fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
  )
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('chunk', 'envelope'),
      async (text, turnBytes, profile) => {
        const limits = { depth: 4, bytes: Number.POSITIVE_INFINITY }
        const turns = { turnBytes, yieldTurn: async () => {} }
        assert.deepEqual(await parseTextChunked(text, limits, turns, { profile }), parseStrict(text, limits, profile))
      },
    ),
    { numRuns: 1_000 },
  )
})
