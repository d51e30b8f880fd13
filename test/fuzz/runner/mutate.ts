import type { Random } from './random.ts'

/** Largest input that is made, bytes. */
export const MAX_INPUT_BYTES = 16 * 1024

const EDGE_BYTES = [0, 9, 10, 13, 32, 34, 44, 58, 92, 123, 125, 127, 128, 191, 192, 224, 237, 240, 244, 255]

type Mutation = (
  bytes: Uint8Array,
  random: Random,
  others: readonly Uint8Array[],
  words: readonly string[],
) => Uint8Array

const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)
const cutAt = (bytes: Uint8Array, random: Random): number => random.below(bytes.length + 1)

function range(bytes: Uint8Array, random: Random): readonly [from: number, to: number] {
  const from = cutAt(bytes, random)
  return [from, Math.min(bytes.length, from + 1 + random.below(random.below(4) === 0 ? 512 : 12))]
}

function changed(bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = random.below(copy.length)
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0)
  return copy
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => changed(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => changed(bytes, random, () => random.below(256)),
  (bytes, random) => changed(bytes, random, () => random.pick(EDGE_BYTES) ?? 0),
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    return join(bytes.subarray(0, from), bytes.subarray(to))
  },
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    return join(bytes.subarray(0, to), bytes.subarray(from))
  },
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    const at = cutAt(bytes, random)
    return join(bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at))
  },
  (bytes, random) => {
    const at = cutAt(bytes, random)
    return join(bytes.subarray(0, at), Uint8Array.of(random.pick(EDGE_BYTES) ?? 0), bytes.subarray(at))
  },
  (bytes, random) => bytes.subarray(0, cutAt(bytes, random)),
  (bytes, random, others) => {
    const other = random.pick(others) ?? bytes
    return join(bytes.subarray(0, cutAt(bytes, random)), other.subarray(cutAt(other, random)))
  },
  (bytes, random, _others, words) => {
    const at = cutAt(bytes, random)
    return join(bytes.subarray(0, at), Buffer.from(random.pick(words) ?? ''), bytes.subarray(at))
  },
  (bytes, random, _others, words) => {
    const [from, to] = range(bytes, random)
    return join(bytes.subarray(0, from), Buffer.from(random.pick(words) ?? ''), bytes.subarray(to))
  },
]

/** A new input made of one of the corpus, by one to six changes. */
export function mutate(corpus: readonly Uint8Array[], random: Random, words: readonly string[]): Uint8Array {
  let bytes = random.pick(corpus) ?? new Uint8Array(0)
  for (let times = 1 + random.below(6); times > 0; times--)
    bytes = random.pick(MUTATIONS)?.(bytes, random, corpus, words) ?? bytes
  return Uint8Array.from(bytes.subarray(0, MAX_INPUT_BYTES)) // not a Buffer, whatever it was made of
}
