/**
 * What the rows of Gemini's hidden calls share: the same forbidden call in every row, asked for in every framing and cut.
 * Nobody may be able to rebuild it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '#pkg/model'
import { cutsOf } from '../fixtures/chat.ts'
import { AS_ARRAY, AS_EVENTS, AS_WHOLE, array, call, chunkOf, REQUEST, sse } from '../fixtures/gemini.ts'
import { JSON_TYPE, type Path, type Seen, SSE } from '../fixtures/path.ts'
import { rebuild } from './gemini-assembler.ts'

export const SQL = 'DROP TABLE customers'
export const ARGS = { query: SQL } as const
export const DROP = call('run_sql', ARGS)

export const raw = (value: object): string => JSON.stringify(value)
/** Each part in a chunk of its own. */
export const chunks = (...parts: readonly object[]): readonly string[] => parts.map((part) => chunkOf([part]))
/** One chunk with one candidate. */
export const candidate = (value: object): readonly string[] => [raw({ candidates: [{ index: 0, ...value }] })]

export type Row = readonly [name: string, chunks: readonly string[], reason: Reason | 'any']

/** Asks for two candidates: all that a second one could hide counts. */
const TWO = { ...REQUEST, generationConfig: { candidateCount: 2 } }

export const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)

export function assertUnseen(seen: Seen, label: string): void {
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
  assert.ok(!rebuild(seen.text).calls.some((one) => one.args.includes(SQL)), label)
}

/** One test for each row. */
export function testHidden(rows: readonly Row[], path: () => Path): void {
  for (const [name, list, reason] of rows)
    test(`[GEMINI-04] ${name}`, async () => {
      let first: readonly string[] | null = null
      const ways = [
        { body: sse(list), asked: AS_EVENTS, headers: SSE },
        { body: array(list), asked: AS_ARRAY, headers: JSON_TYPE },
        ...list.slice(0, list.length === 1 ? 1 : 0).map((body) => ({ body, asked: AS_WHOLE, headers: JSON_TYPE })),
      ]
      for (const { body, asked, headers } of ways)
        for (const cut of cutsOf(body)) {
          const label = `${asked.path}${asked.query} ${cut.name}`
          const seen = await path().ask(TWO, { chunks: cut.chunks, headers }, asked)
          assertUnseen(seen, label)
          assert.ok(
            seen.verdicts.some((verdict) => verdict.action !== 'Allow'),
            `${label}: nothing was refused: ${seen.text}`,
          )
          const reasons = reasonsOf(seen)
          if (reason !== 'any') assert.ok(reasons.includes(reason), `${label}: ${reasons}`)
          if (name === 'no JSON') continue
          first ??= reasons
          assert.deepEqual(reasons, first, label)
          if (asked === AS_ARRAY) JSON.parse(seen.text)
        }
    })
}
