import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newLog } from '#pkg/platform/log'
import { STEERING } from '../../../test/fixtures/run-cli.ts'
import { humanLine, humanSink } from './human-log.ts'

const rows: readonly (readonly [name: string, event: string, fields: Record<string, unknown>, line: string])[] = [
  ['no fields', 'ended', {}, 'warn  ended\n'],
  ['plain values', 'moved', { agent: 'a/b', epoch: 2 }, 'warn  moved agent=a/b epoch=2\n'],
  ['a text with spaces', 'moved', { why: 'file: odd "x"' }, 'warn  moved why="file: odd \\"x\\""\n'],
  ['nothing and lists', 'moved', { from: null, ids: ['a'] }, 'warn  moved from=null ids=["a"]\n'],
  ['an empty text', 'moved', { why: '' }, 'warn  moved why=""\n'],
]

for (const [name, event, fields, line] of rows)
  test(`[CLI-04] a log line for a person is level, event, key=value: ${name}`, () => {
    let out = ''
    newLog({ write: (json) => (out += humanLine(json)) }).warn(event, fields)
    assert.equal(out, line)
  })

test('[CLI-03] a log line for a person steers no terminal, whatever stands in it', () => {
  const hostile = '\u001b[2J\u202e\u2028\n'
  for (const json of [JSON.stringify({ level: hostile, event: hostile, [hostile]: hostile }), `no json ${hostile}`])
    assert.equal(STEERING.test(humanLine(json).replace(/\n$/, '')), false)
})

test('[CLI-04] a reader of stderr that is a MiB behind misses lines and stops nobody', () => {
  const written: string[] = []
  const stream = { writableLength: 0, write: (text: string) => written.push(text) }
  const sink = humanSink(stream)
  sink('{"level":"info","event":"one"}\n')
  stream.writableLength = 1024 * 1024
  sink('{"level":"info","event":"two"}\n')
  assert.deepEqual(written, ['info  one\n'])
})
