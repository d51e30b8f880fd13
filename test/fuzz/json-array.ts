import assert from 'node:assert/strict'
import type { Frame } from '#pkg/model'
import { closeWith, newJsonArraySplitter, placeAfter } from '#pkg/path/codec/wire/json-array'
import type { Target } from './runner/target.ts'

const LIMITS = { frameBytes: 512 }

function split(chunks: readonly Uint8Array[]): readonly Frame[] {
  const splitter = newJsonArraySplitter(LIMITS)
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
}

/** Frames up to the first fault, and that fault's place and reason: what must not depend on the cutting. */
function essence(frames: readonly Frame[]): readonly unknown[] {
  const fault = frames.findIndex((frame) => frame.kind === 'fault')
  const sound = fault < 0 ? frames : frames.slice(0, fault)
  const first = frames[fault]
  return [...sound, first?.kind === 'fault' ? [first.at, first.reason] : null]
}

/** The frames' bytes are the body's bytes, no cut changes them, and what left can be closed where JSON can. */
export const target: Target = {
  name: 'json-array',
  words: ['[', ']', ',', '{}', '{"a":1}', '"}"', '\\"', '\n,\r\n', '[{', '}]', ' ', '\ufeff', '"a":[{}]'],
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
    closes(whole)
    return [...new Set(whole.map((frame) => (frame.kind === 'fault' ? frame.reason : `${frame.kind}`)))].join(' ')
  },
}

/** Wherever the frames stop, an element of ours makes an array of them, if each is JSON. */
function closes(frames: readonly Frame[]): void {
  let place: ReturnType<typeof placeAfter> = 'nothing'
  const left: Uint8Array[] = []
  for (const frame of frames) {
    if (frame.kind !== 'event' || (frame.data !== '' && !isJson(frame.data))) return
    left.push(frame.raw)
    place = placeAfter(place, frame.raw)
    JSON.parse(Buffer.concat([...left, closeWith(place, '{"error":1}')]).toString('utf8'))
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
