import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DIALECT_RULES, DIALECTS } from './dialects.ts'
import { REQUIREMENTS } from './requirements.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function testFiles(): readonly string[] {
  return ['pkg', 'test', 'cmd'].flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
}

// in a name as [ID], or in a table of rows as 'ID'; names of curves look like one
const cited = new Set<string>()
for (const file of testFiles()) {
  for (const match of readFileSync(file, 'utf8').matchAll(
    /['[`](?!P-\d{3}')((?:[A-Z][A-Z0-9]*-)+\d{2,3}|PROMISE-[A-Z]+)[\]'`]/g,
  ))
    cited.add(match[1] ?? '')
}

test('every promise is cited by a test', () => {
  assert.deepEqual(
    Object.keys(REQUIREMENTS).filter((id) => !cited.has(id)),
    [],
  )
})

test('every promise id that a test cites exists', () => {
  assert.ok(cited.size > 20)
  assert.deepEqual(
    [...cited].filter((id) => !Object.hasOwn(REQUIREMENTS, id)),
    [],
  )
})

test('every rule of every dialect has its promise', () => {
  const ids = DIALECT_RULES.flatMap((row) => row.ids.flat())
  for (const { rule, ids: columns } of DIALECT_RULES) {
    assert.equal(columns.length, DIALECTS.length, rule)
    const ofModels = new Set(columns.slice(0, 4).map((each) => each.length > 0))
    assert.equal(ofModels.size, 1, `${rule}: for all dialects of models, or for none`)
    assert.ok(columns.flat().length > 0, rule)
  }
  assert.deepEqual(
    ids.filter((id) => !cited.has(id)),
    [],
  )
})

test('every promise of the README has its id, and no other', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const promised = [...readme.matchAll(/\[(PROMISE-[A-Z]+)\]/g)].map((match) => match[1] ?? '')
  assert.ok(promised.length > 5)
  const listed = Object.keys(REQUIREMENTS).filter((id) => id.startsWith('PROMISE-'))
  assert.deepEqual([...promised].sort(), listed.sort())
})

test('make targets and npm scripts are twins', () => {
  const makefile = readFileSync(join(root, 'Makefile'), 'utf8')
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const targets = [...makefile.matchAll(/^([a-z-]+):.*##/gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => !['help', 'test-interop'].includes(name))
  assert.deepEqual(
    targets.filter((name) => scripts[name] === undefined),
    [],
  )
})
