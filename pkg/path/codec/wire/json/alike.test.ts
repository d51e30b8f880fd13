import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AlikeTexts, parseStrict } from './index.ts'

const LIMITS = { depth: 64, bytes: Number.POSITIVE_INFINITY }
const plan = { path: 'a.0.text' }
const model = '{"id":"x","a":[{"text":"one","kind":"t"}],"pad":"00","n":7}'

const reader = (of = model, beside: readonly string[] = ['pad', 'n']) => {
  const alike = new AlikeTexts<typeof plan>((path) => beside.includes(path))
  alike.learn(of, plan)
  return alike
}
const read = (text: string, of = model): string | null => reader(of).match(text)?.text ?? null

describe('texts that are alike', () => {
  const rows: readonly (readonly [name: string, text: string, read: string | null])[] = [
    ['the model itself', model, 'one'],
    [
      'another text, another pad, another number',
      model.replace('one', 'two').replace('00', '').replace('7', '12'),
      'two',
    ],
    ['an empty text', model.replace('one', ''), ''],
    ['escapes', model.replace('one', '\\"\\n\\\\'), '"\n\\'],
    ['beyond ASCII', model.replace('one', 'é😀'), 'é😀'],
    ['another id', model.replace('"x"', '"y"'), null],
    ['a further member', model.replace('"n":7', '"n":7,"m":1'), null],
    ['a member less', model.replace(',"kind":"t"', ''), null],
    ['white space', model.replace(',"a"', ', "a"'), null],
    ['more behind it', `${model} `, null],
    ['less', model.slice(0, -1), null],
    ['a string that closes and opens a member', model.replace('one', 'one","kind":"t"}],"pad":"0'), null],
    ['a control character', model.replace('one', 'o\ne'), null],
    ['an escape that is none', model.replace('one', '\\x'), null],
    ['an escape that is none in the pad', model.replace('00', '\\x'), null],
    ['an escaped unit is left to the strict reader', model.replace('one', '\\u0041'), null],
    ['half a pair', model.replace('one', '\ud83d'), null],
    ['half a pair in the pad', model.replace('00', '\ud83d'), null],
    ['a number with a zero before it', model.replace('7', '07'), null],
    ['a fraction', model.replace('7', '7.5'), null],
    ['an exponent', model.replace('7', '7e400'), null],
    ['a negative number', model.replace('7', '-7'), null],
    ['a number of 16 digits', model.replace('7', '1234567890123456'), null],
    ['a number where a string stood', model.replace('"one"', '1'), null],
  ]
  for (const [name, text, expected] of rows) it(`[JSON-14] ${name}`, () => assert.equal(read(text), expected))

  it('[JSON-14] nothing is learned where the wanted value is no string, or stands elsewhere', () => {
    for (const of of [
      '{"a":[{"text":1}]}',
      '{"a":{"text":"one"}}',
      '{"":{"a":[{"text":"one"}]}}',
      '{"a.0":{"text":"one"}}',
      '{"a":[[{"text":"one"}]]}',
    ])
      assert.equal(read(of, of), null, of)
  })

  it('[JSON-14] the shape that is longest unused goes', () => {
    const alike = new AlikeTexts<typeof plan>(() => false, 2)
    const texts = ['1', '2', '3'].map((id) => `{"id":"${id}","a":[{"text":"one"}]}`)
    for (const text of texts.slice(0, 2)) alike.learn(text, plan)
    assert.ok(alike.match(texts[0] ?? ''))
    alike.learn(texts[2] ?? '', plan)
    assert.deepEqual(
      texts.map((text) => alike.match(text) !== null),
      [true, false, true],
    )
  })
})

/** Values in the place of others, pieces of JSON among them. */
const anyText = fc.string({
  unit: fc.constantFrom('a', '"', '\\', ',', ':', '{', '}', '[', ']', '\n', 'u', '0', 'é', '😀', '\ud83d', ' '),
  maxLength: 12,
})
const members = fc.uniqueArray(fc.constantFrom('text', 'pad', 'n', 'a', '0', '', 'a.0', 'ä', 'x'), { maxLength: 5 })

describe('any text', () => {
  it('[JSON-14] a match reads what a strict reading reads, and is strict itself', () => {
    let matches = 0
    fc.assert(
      fc.property(members, fc.array(anyText, { minLength: 3, maxLength: 3 }), fc.boolean(), (names, values, raw) => {
        const build = ([text, pad, other]: readonly string[]) => {
          const quoted = (value = '') => (raw ? `"${value}"` : JSON.stringify(value))
          const rest = names.map((name) => `,${JSON.stringify(name)}:${quoted(other)}`).join('')
          return `{"a":[{"text":${quoted(text)}}],"pad":${quoted(pad)},"n":${(pad ?? '').length}${names.includes('a') || names.includes('pad') || names.includes('n') ? '' : rest}}`
        }
        const first = build(['one', '', values[2] ?? ''])
        if (!parseStrict(first, LIMITS).ok) return // a model has been read strictly
        const alike = reader(first)
        const text = build(values)
        const found = alike.match(text)
        if (found === null) return
        matches += 1
        const strict = parseStrict(text, LIMITS)
        assert.ok(strict.ok, text)
        // the strict value has the shape of the model
        assert.equal((strict.value as { a: [{ text: string }] }).a[0].text, found.text)
      }),
      { numRuns: 3000 },
    )
    assert.ok(matches > 100, `${matches}`)
  })

  it('[JSON-14] one character changed in the model is read as it is, or not at all', () => {
    fc.assert(
      fc.property(fc.nat(model.length), anyText, (at, piece) => {
        const text = model.slice(0, at) + piece + model.slice(at + (piece.length % 3))
        const found = reader().match(text)
        if (found === null) return
        const strict = parseStrict(text, LIMITS)
        assert.ok(strict.ok, text)
        const { id, a } = strict.value as { id: string; a: [{ text: string; kind: string }] }
        assert.deepEqual([id, a], ['x', [{ text: found.text, kind: 't' }]])
        assert.deepEqual(Object.keys(strict.value as object), ['id', 'a', 'pad', 'n'])
      }),
      { numRuns: 3000 },
    )
  })
})
