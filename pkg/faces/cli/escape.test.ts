import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse as parseYaml } from 'yaml'
import { recordOf } from '../../../test/fixtures/admin-source.ts'
import { run, STEERING, withProcess } from '../../../test/fixtures/run-cli.ts'
import { escapeStrings, jsonText, printable } from './escape.ts'
import { valueText } from './session.ts'

const HOSTILE = [
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  'a\r\nb',
  '\u202egnp.exe',
  'a\u2028b',
  '\u200b\u2066',
  '\u{e0041}',
  '\ud800',
  '\u007f',
]

test('[CLI-03] no text of an agent steers the terminal, in any format, on stdout or stderr', async () =>
  withProcess(async ({ at, source }) => {
    for (const [number, text] of HOSTILE.entries())
      source.append(recordOf(number, { tool: text, message: text, rule: text, policy: text, session: text }))
    for (const format of ['table', 'wide', 'json', 'yaml'])
      for (const words of [['verdicts'], ['policy', 'explain', 'v_000001']]) {
        const { out, err } = await run([...words, '-o', format, ...at])
        assert.equal(STEERING.test((out + err).replaceAll('\n', '')), false, `${words.join(' ')} ${format}`)
        const lines = out.split('\n').length - 1
        if (words[0] === 'verdicts' && format !== 'yaml')
          assert.equal(lines, HOSTILE.length + (format === 'json' ? 0 : 1))
      }
  }))

test('[CLI-03] JSON and YAML say the same value in spite of the escapes', async () => {
  const texts = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed())
  const value = fc.dictionary(texts, fc.oneof(texts, fc.integer(), fc.boolean(), fc.array(texts)), {
    noNullPrototype: true,
  })
  await fc.assert(
    fc.asyncProperty(value, async (given) => {
      const json = jsonText(given, 2)
      assert.equal(STEERING.test(json.replaceAll('\n', '')), false)
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(given)))
      const yaml = await valueText(given, 'yaml')
      assert.equal(STEERING.test(yaml.replaceAll('\n', '')), false)
      if (!Object.hasOwn(given, '__proto__')) assert.deepEqual(parseYaml(yaml), given)
    }),
    { numRuns: 300 },
  )
  assert.equal(escapeStrings('"\u{e0041}"'), '"\\udb40\\udc41"')
  assert.equal(printable('a\u001b\nb'), 'a\\u{1b}\\u{a}b')
})

test('[CLI-03] colour only where the terminal has it and nobody says no', async () =>
  withProcess(async ({ at, source }) => {
    source.append(recordOf(1))
    assert.equal((await run(['verdicts', ...at], { hasColors: true })).out.includes('\u001b[31m'), true)
    assert.equal((await run(['verdicts', '--no-color', ...at], { hasColors: true })).out.includes('\u001b'), false)
    assert.equal((await run(['verdicts', ...at])).out.includes('\u001b'), false)
  }))
