import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { newNames } from './index.ts'

test('[RND-01] names have their prefix, their length, letters and digits alone, and none comes twice', () => {
  for (const [prefix, length] of [
    ['v_', 14],
    ['sp_vk_', 40],
    ['', 1],
  ] as const) {
    const next = newNames(randomBytes, { prefix, length })
    const names = Array.from({ length: 2_000 }, next)
    for (const name of names) {
      assert.ok(name.startsWith(prefix))
      assert.match(name.slice(prefix.length), /^[A-Za-z0-9]+$/)
      assert.equal(name.length, prefix.length + length)
    }
    if (length > 1) assert.equal(new Set(names).size, names.length)
  }
})

test('[RND-01] each of the 62 characters comes as often as any other, for every byte the source can give', () => {
  const everyByte = Uint8Array.from({ length: 4_096 }, (_, at) => at % 256)
  const next = newNames(() => everyByte, { prefix: '', length: 248 })
  const counts = new Map<string, number>()
  for (const character of next()) counts.set(character, (counts.get(character) ?? 0) + 1)
  assert.equal(counts.size, 62)
  assert.deepEqual([...new Set(counts.values())], [4])
})

test('[RND-01] no byte of the source is used twice, and a source that gives little at a time is asked again', () => {
  let drawn = 0
  const next = newNames(() => Uint8Array.of(drawn++ % 248), { prefix: '', length: 10 })
  assert.equal(next() + next(), 'ABCDEFGHIJKLMNOPQRST')
  assert.equal(drawn, 20)
})

test('[RND-01] what the source throws is thrown, and the next name is whole', () => {
  let broken = true
  const next = newNames(
    (size) => {
      if (broken) throw new Error('no entropy')
      return randomBytes(size)
    },
    { prefix: 'v_', length: 14 },
  )
  assert.throws(next, /no entropy/)
  broken = false
  assert.match(next(), /^v_[A-Za-z0-9]{14}$/)
})
