import assert from 'node:assert/strict'
import type { Event } from '../fixtures/anthropic.ts'
import type { Seen } from '../fixtures/path.ts'
import { rebuildClaude } from './claude-assembler.ts'
import { SQL } from './claude-shapes.ts'

export const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)

/** The forbidden call is not there for anybody. */
export function assertUnseen(seen: Seen, label: string): void {
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
  assert.ok(!rebuildClaude(seen.text).calls.some(({ args }) => args.includes(SQL)), label)
}

/** Blocks stand at the places that their indices say, each starts once and stops once, and only then the message ends. */
export function assertReadable(text: string): void {
  const open = new Set<unknown>()
  let next = 0
  for (const [, json = ''] of text.matchAll(/^data: (\{.*)$/gm)) {
    const event = JSON.parse(json) as Event
    if (event.type === 'message_start') next = (event['message'] as { content: unknown[] }).content.length // as Claude writes it
    if (event.type === 'content_block_start') {
      assert.equal(event['index'], next, text)
      open.add(next)
      next += 1
    } else if (event.type === 'content_block_delta') assert.ok(open.has(event['index']), text)
    else if (event.type === 'content_block_stop') open.delete(event['index'])
  }
}
