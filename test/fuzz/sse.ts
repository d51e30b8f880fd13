import assert from 'node:assert/strict'
import type { Frame } from '#pkg/model'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import type { Target } from './runner/target.ts'

const LIMITS = { frameBytes: 512 }

function split(chunks: readonly Uint8Array[]): readonly Frame[] {
  const splitter = newSseSplitter(LIMITS)
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
}

/** Frames up to the first fault, and that fault's place and reason: what must not depend on the cutting. */
function essence(frames: readonly Frame[]): readonly unknown[] {
  const fault = frames.findIndex((frame) => frame.kind === 'fault')
  const sound = fault < 0 ? frames : frames.slice(0, fault)
  const first = frames[fault]
  return [...sound, first?.kind === 'fault' ? [first.at, first.reason] : null]
}

/** The frames' bytes are the stream's bytes, and no cut changes them. */
export const target: Target = {
  name: 'sse',
  words: [
    'data: ',
    'data:',
    'event: ',
    'id: ',
    'retry: ',
    ': ping',
    '\n\n',
    '\r\n',
    '\r',
    '\r\r\n',
    '\ufeff',
    'data: [DONE]\n\n',
    '\0',
  ],
  run(bytes) {
    const whole = split([bytes])
    assert.deepEqual(Buffer.concat(whole.map((frame) => frame.raw)), Buffer.from(bytes))
    const singles = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
    const sevens = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.subarray(at * 7, at * 7 + 7))
    for (const cut of [singles, sevens]) {
      const frames = split(cut)
      assert.deepEqual(Buffer.concat(frames.map((frame) => frame.raw)), Buffer.from(bytes))
      assert.deepEqual(essence(frames), essence(whole))
    }
    return [...new Set(whole.map((frame) => (frame.kind === 'fault' ? frame.reason : `${frame.kind}`)))].join(' ')
  },
}
