import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { linesBackOf } from './audit-folder.ts'

const dir = mkdtempSync(join(tmpdir(), 'sallyport-lines-'))
after(() => rmSync(dir, { recursive: true, force: true }))

/** A file is read in blocks of so many bytes. */
const BLOCK = 64 * 1024

function backOf(text: string): readonly string[] {
  const path = join(dir, 'lines')
  writeFileSync(path, text)
  return [...linesBackOf(path)].map(String)
}

const ROWS: readonly (readonly [name: string, lengths: readonly number[], torn: string])[] = [
  ['an empty file', [], ''],
  ['a torn line alone', [], 'torn'],
  ['one line', [3], ''],
  ['empty lines', [0, 0, 0], ''],
  ['lines before a torn one', [3, 4], 'torn'],
  ['a line that fills a block', [BLOCK - 1], ''],
  ['a line feed at the start of a block', [3, BLOCK - 1], ''],
  ['a line over three blocks between short ones', [2, 2 * BLOCK + 5, 2], ''],
  [
    'many lines, a torn one longer than a block',
    Array.from({ length: 5_000 }, (_, at) => at % 40),
    'x'.repeat(BLOCK + 1),
  ],
]

for (const [name, lengths, torn] of ROWS)
  test(`[AUD-12] the log is read back line by line: ${name}`, () => {
    const lines = lengths.map((length, at) => String(at % 10).repeat(length))
    assert.deepEqual(backOf(lines.map((line) => `${line}\n`).join('') + torn), lines.toReversed())
  })

test('[AUD-12] the log is read back line by line, wherever its blocks end', () => {
  const line = fc.oneof(fc.nat(100), fc.integer({ min: BLOCK - 3, max: BLOCK + 3 })).map((length) => 'y'.repeat(length))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      assert.deepEqual(backOf(lines.map((one) => `${one}\n`).join('')), lines.toReversed())
    }),
    { numRuns: 60 },
  )
})
