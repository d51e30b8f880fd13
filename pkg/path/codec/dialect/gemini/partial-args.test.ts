import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '#pkg/model'
import { readJsonPath } from './json-path.ts'
import { PartialArgs } from './partial-args.ts'

const paths: readonly (readonly [path: string, steps: readonly (string | number)[] | null])[] = [
  ['$.a', ['a']],
  ['$.a.b[0].c', ['a', 'b', 0, 'c']],
  ["$['first name']", ['first name']],
  ['$["a.b"][12]', ['a.b', 12]],
  ['$.snake_case-x', ['snake_case-x']],
  ['$.größe', ['größe']],
  ['$', null],
  ['', null],
  ['a', null],
  ['$a', null],
  ['$.', null],
  ['$..a', null],
  ['$.*', null],
  ['$[*]', null],
  ['$[-1]', null],
  ['$[01]', null],
  ['$[0:2]', null],
  ['$[?@.a]', null],
  ['$.0', null],
  ["$['a\\'b']", null],
  ['$.a ', null],
  ['$.a[0', null],
]
for (const [path, steps] of paths)
  test(`[GEMINI-05] path ${JSON.stringify(path)}`, () => assert.deepEqual(readJsonPath(path), steps))

const rows: readonly (readonly [name: string, pieces: readonly object[], text: string | null])[] = [
  ['nothing', [], '{}'],
  ['a string at once', [{ jsonPath: '$.a', stringValue: 'x' }], '{"a":"x"}'],
  ['a string that grows', [piece('$.a', 'x', true), piece('$.a', 'y', true), piece('$.a', '')], '{"a":"xy"}'],
  ['a string whose end says nothing', [piece('$.a', 'x', true), { jsonPath: '$.a' }], '{"a":"x"}'],
  ['an empty string', [piece('$.a', '')], '{"a":""}'],
  [
    'words',
    [
      { jsonPath: '$.a', numberValue: 1.5 },
      { jsonPath: '$.b', boolValue: false },
      { jsonPath: '$.c', nullValue: 'NULL_VALUE' },
    ],
    '{"a":1.5,"b":false,"c":null}',
  ],
  ['minus zero stays visible', [{ jsonPath: '$.a', numberValue: -0 }], '{"a":-0}'],
  ['a list of objects', [piece('$.a[0].b', 'x'), piece('$.a[1].b', 'y')], '{"a":[{"b":"x"},{"b":"y"}]}'],
  [
    'a list in a list',
    [piece('$.a[0][0]', 'x'), piece('$.a[0][1]', 'y'), piece('$.a[1][0]', 'z')],
    '{"a":[["x","y"],["z"]]}',
  ],
  ['snake case', [{ json_path: '$.a', string_value: 'x', will_continue: false }], '{"a":"x"}'],
  ['a name of the prototype', [piece('$.__proto__.a', 'x')], '{"__proto__":{"a":"x"}}'],
  ['a piece that is no object', ['x' as unknown as object], null],
  ['a word that goes on', [{ jsonPath: '$.a', numberValue: 1, willContinue: true }], null],
  ['a string that grows into a number', [piece('$.a', 'x', true), { jsonPath: '$.a', numberValue: 1 }], null],
  ['the end of a string that never began', [{ jsonPath: '$.a' }], null],
  ['a list that begins behind its beginning', [piece('$.a[1]', 'x')], null],
  ['a list that becomes an object', [piece('$.a[0]', 'x'), piece('$.a.b', 'x')], null],
  ['an unknown member', [{ jsonPath: '$.a', stringValue: 'x', other: 1 }], null],
  ['a path that is no text', [{ jsonPath: 7, stringValue: 'x' }], null],
]
for (const [name, pieces, text] of rows)
  test(`[GEMINI-05] arguments in pieces: ${name}`, () => {
    const args = new PartialArgs(DEFAULT_LIMITS)
    const reason = pieces.map((one) => args.take(one)).find((one) => one !== null) ?? null
    if (text === null) assert.equal(reason, 'WIRE_ARGUMENT_SHAPE')
    else assert.deepEqual([reason, args.whole, args.text()], [null, true, text])
  })

function piece(jsonPath: string, stringValue: string, willContinue = false): object {
  return willContinue ? { jsonPath, stringValue, willContinue } : { jsonPath, stringValue }
}

test('[GEMINI-05] arguments in pieces are bounded in size and depth', () => {
  const args = new PartialArgs({ argumentBytes: 10, jsonDepth: 3 })
  assert.equal(args.take(piece('$.a.b.c', 'x')), 'WIRE_DEPTH')
  assert.equal(args.take(piece('$.a', 'x'.repeat(11))), 'WIRE_ARGUMENT_TOO_LARGE')
})

/** Pieces of any JSON object, in the order of its text, strings cut into `size` units. Empty containers have no piece. */
function piecesOf(value: unknown, path: string, size: number): object[] {
  if (typeof value === 'string') {
    const pieces: object[] = []
    for (let at = 0; at < value.length; at += size) pieces.push(piece(path, value.slice(at, at + size), true))
    return [...pieces, piece(path, '')]
  }
  if (typeof value === 'number') return [{ jsonPath: path, numberValue: value }]
  if (typeof value === 'boolean') return [{ jsonPath: path, boolValue: value }]
  if (value === null) return [{ jsonPath: path, nullValue: 'NULL_VALUE' }]
  if (Array.isArray(value)) return value.flatMap((item, at) => piecesOf(item, `${path}[${at}]`, size))
  return Object.entries(value as object).flatMap(([key, item]) => piecesOf(item, `${path}['${key}']`, size)) // an object is what is left
}

test('[GEMINI-05] any arguments are put together again from their pieces', () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }).filter((key) => !/['\\]|^__/.test(key))
  const { tree } = fc.letrec<{ tree: Record<string, unknown>; item: unknown }>((tie) => ({
    item: fc.oneof({ maxDepth: 3 }, leaf, tie('tree'), fc.array(tie('item'), { minLength: 1, maxLength: 3 })),
    tree: fc.dictionary(name, tie('item'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  }))
  fc.assert(
    fc.property(tree, fc.integer({ min: 1, max: 9 }), (value, size) => {
      const args = new PartialArgs(DEFAULT_LIMITS)
      for (const one of piecesOf(value, '$', size)) assert.equal(args.take(one), null)
      assert.deepEqual(JSON.parse(args.text()), value)
    }),
    { numRuns: 200 },
  )
})
