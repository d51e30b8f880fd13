import assert from 'node:assert/strict'
import { type Decoded, newDecoder } from '#pkg/path/codec/wire/encoding'
import type { Target } from './runner/target.ts'

const CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const
const LIMITS = { ratio: 200, maxBytes: 2 * 1024 * 1024 }

async function decode(coding: string, chunks: readonly Uint8Array[]): Promise<string> {
  const opened = newDecoder(coding, LIMITS)
  assert.ok(opened.ok)
  const { decoder } = opened
  const parts: Uint8Array[] = []
  const take = (step: Decoded): string | null => {
    if (!step.ok) return step.reason
    parts.push(...step.chunks)
    return null
  }
  let reason: string | null = null
  for (const chunk of chunks) reason ??= take(await decoder.push(chunk))
  reason ??= take(await decoder.end())
  decoder.close()
  const bytes = parts.reduce((sum, part) => sum + part.length, 0)
  assert.ok(bytes <= LIMITS.maxBytes + 64 * 1024, `${bytes} bytes came out`)
  return reason ?? `ok ${Buffer.concat(parts).toString('base64')}`
}

/**
 * Growth is measured by the input so far: a bomb may be found out earlier in parts. And that a zstd frame ends before
 * the size that it declares is noticed by the library only where the frame comes in one piece.
 */
function isOfTheCut(coding: string, outcomes: readonly string[]): boolean {
  if (outcomes.includes('WIRE_ENCODING_BOMB')) return true
  return coding === 'zstd' && outcomes.includes('WIRE_ENCODING_CORRUPT')
}

/**
 * The first byte picks the coding. No cut changes what comes out or why nothing does, but for what
 * is measured by the input in hand. Nothing exceeds the bounds.
 */
export const target: Target = {
  name: 'encoding',
  words: ['\x1f\x8b\x08\0', '\x28\xb5\x2f\xfd', '\x78\x9c'],
  async run(bytes) {
    const coding = CODINGS[(bytes[0] ?? 0) % CODINGS.length] ?? 'gzip'
    const body = bytes.subarray(1)
    const whole = await decode(coding, [body])
    const middle = body.length >> 1
    const cut = await decode(coding, [body.subarray(0, middle), body.subarray(middle)])
    if (!isOfTheCut(coding, [cut, whole])) assert.equal(cut, whole)
    return `${coding} ${whole.split(' ')[0]}`
  },
}
