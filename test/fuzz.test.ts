import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seedsOf } from './fuzz/runner/corpus.ts'
import { mutate } from './fuzz/runner/mutate.ts'
import { newRandom } from './fuzz/runner/random.ts'
import { loadTargets } from './fuzz/runner/targets.ts'

const MUTATIONS = 200
const targets = await loadTargets(null)

test('[FUZZ-01] there are targets, and each has seeds of its own', () => {
  assert.ok(targets.length >= 5, `${targets.length} targets`)
  assert.equal(new Set(targets.map((target) => target.name)).size, targets.length)
  for (const { name } of targets) assert.ok(seedsOf(name).length > 3, `${name} has ${seedsOf(name).length} seeds`)
  assert.ok(existsSync(fileURLToPath(new URL('fuzz/corpus', import.meta.url))))
})

for (const target of targets)
  test(`[FUZZ-01] ${target.name} holds on its seeds and on ${MUTATIONS} mutations of them`, async () => {
    const seeds = seedsOf(target.name)
    const random = newRandom(`make test ${target.name}`)
    for (const seed of [new Uint8Array(0), ...seeds]) await target.run(Uint8Array.from(seed))
    for (let run = 0; run < MUTATIONS; run++) await target.run(mutate(seeds, random, target.words ?? []))
  })

test('[FUZZ-02] the same seed makes the same inputs, another seed others', () => {
  const seeds = seedsOf('json')
  const inputs = (seed: string) => {
    const random = newRandom(seed)
    return Array.from({ length: 50 }, () => Buffer.from(mutate(seeds, random, ['word'])).toString('hex'))
  }
  assert.deepEqual(inputs('a'), inputs('a'))
  assert.notDeepEqual(inputs('a'), inputs('b'))
})
