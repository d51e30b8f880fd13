import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileChecks, compileSchema, type SchemaError } from './index.ts'
import { hasDuplicates } from './unique.ts'

function check(schema: unknown, value: unknown): readonly SchemaError[] {
  const compiled = compileSchema(schema)
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.message)
  return compiled.validator.check(value)
}

const QUERY = {
  type: 'object',
  required: ['query'],
  additionalProperties: false,
  properties: {
    query: { type: 'string', maxLength: 8, pattern: '^[a-z]+$' },
    tags: { type: 'array', uniqueItems: true },
  },
}

const rows: readonly [string, unknown, unknown, readonly SchemaError[]][] = [
  ['what fits has no errors', QUERY, { query: 'abc', tags: ['a', 'b'] }, []],
  ['a missing member is named', QUERY, {}, [{ path: '/query', keyword: 'required' }]],
  [
    'a name that the schema does not know is not printed',
    QUERY,
    { query: 'a', secret_4711: 1 },
    [{ path: '', keyword: 'additionalProperties' }],
  ],
  ['length', QUERY, { query: 'abcdefghi' }, [{ path: '/query', keyword: 'maxLength' }]],
  ['pattern', QUERY, { query: 'ABC' }, [{ path: '/query', keyword: 'pattern' }]],
  [
    'two patterns of one schema are told apart',
    { properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } },
    { a: 'a', b: 'a' },
    [{ path: '/b', keyword: 'pattern' }],
  ],
  [
    'equal items, whatever the order of their keys',
    QUERY,
    {
      query: 'a',
      tags: [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    },
    [{ path: '/tags', keyword: 'uniqueItems' }],
  ],
  [
    'a payload key is a star',
    { additionalProperties: { type: 'number' } },
    { s3cret: 'x' },
    [{ path: '/*', keyword: 'type' }],
  ],
  [
    'a reference into itself',
    { $defs: { a: { type: 'string' } }, properties: { x: { $ref: '#/$defs/a' } } },
    { x: 1 },
    [{ path: '/x', keyword: 'type' }],
  ],
  ['false refuses', false, {}, [{ path: '', keyword: 'false schema' }]],
  ['a format', { properties: { to: { format: 'email' } } }, { to: 'nobody' }, [{ path: '/to', keyword: 'format' }]],
]

for (const [name, schema, value, expected] of rows) {
  test(`[EXPR-05] a schema: ${name}`, () => assert.deepEqual(check(schema, value), expected))
}

const faults: readonly [string, unknown, RegExp][] = [
  ['no schema', 'string', /object/],
  ['a list', [], /object/],
  ['a remote reference', { $ref: 'https://example.com/a.json' }, /ref/],
  ['a reference to nowhere', { $ref: '#/$defs/none' }, /./],
  ['asynchronous', { $async: true }, /async/],
  ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, /2020-12/],
  ['a name of its own', { $id: 'https://example.com/a' }, /\$id/],
  ['an unknown keyword', { typ: 'object' }, /typ/],
  ['an unknown type', { type: 'text' }, /./],
  ['an unknown format', { type: 'string', format: 'iban' }, /iban/],
  ['a pattern that only backtracking engines know', { type: 'string', pattern: '(?=a)b' }, /./],
  ['too deep', Array.from({ length: 80 }).reduce<unknown>((inner) => ({ not: inner }), {}), /deeper/],
  ['too long', { enum: ['x'.repeat(70_000)] }, /65536/],
]

for (const [name, schema, message] of faults) {
  test(`[EXPR-06] a fault when it compiles: ${name}`, () => {
    const found = compileChecks.schema(schema)
    assert.ok(found !== null)
    assert.match(found, message)
  })
}

test('[EXPR-03] a pattern of a schema takes linear time', () => {
  const started = performance.now()
  assert.equal(check({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}b`).length, 1)
  assert.ok(performance.now() - started < 20_000)
})

test('[EXPR-03] unique items take linear time', () => {
  const started = performance.now()
  const items = Array.from({ length: 50_000 }, (_, index) => ({ a: index }))
  assert.deepEqual(check({ uniqueItems: true }, items), [])
  assert.ok(performance.now() - started < 20_000)
})

test('[EXPR-05] unique means what comparing each with each says', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), (raw) => {
      const items: readonly unknown[] = JSON.parse(JSON.stringify(raw))
      const slow = items.some((one, index) => items.slice(index + 1).some((other) => sameJson(one, other)))
      assert.equal(hasDuplicates(items), slow)
    }),
  )
})

function sameJson(left: unknown, right: unknown): boolean {
  try {
    assert.deepEqual(left, right)
    return true
  } catch {
    return false
  }
}

test('[EXPR-04] equal schemas share one validator, and none changes another', () => {
  const first = compileSchema({ type: 'object', required: ['a'] })
  assert.equal(compileSchema({ type: 'object', required: ['a'] }), first)
  for (let index = 0; index < 300; index += 1) assert.equal(compileSchema({ minimum: index }).ok, true)
  assert.deepEqual(check({ type: 'object', required: ['a'] }, {}), [{ path: '/a', keyword: 'required' }])
})
