import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { SallyportError } from '#pkg/model/errors'
import { newManualClock } from '#pkg/platform/clock'
import { type LogLevel, newLog, Secret } from './index.ts'

function captured(level: LogLevel): { readonly lines: string[]; readonly log: ReturnType<typeof newLog> } {
  const lines: string[] = []
  const clock = newManualClock(Date.UTC(2026, 0, 31))
  return { lines, log: newLog({ level, clock, write: (line) => lines.push(line) }) }
}

test('[SET-02] a line is one JSON object with level, time and event, then its fields', () => {
  const { lines, log } = captured('info')
  log.info('agent-moved', { agent: 'growth/marketing', epoch: 2, from: null, text: 'two\nlines' })
  assert.deepEqual(lines, [
    '{"level":"info","time":"2026-01-31T00:00:00.000Z","event":"agent-moved","agent":"growth/marketing","epoch":2,"from":null,"text":"two\\nlines"}\n',
  ])
})

for (const [level, printed] of [
  ['debug', 4],
  ['info', 3],
  ['warn', 2],
  ['error', 1],
] as const)
  test(`[SET-02] at level ${level} only what is as loud is printed`, () => {
    const { lines, log } = captured(level)
    log.debug('a')
    log.info('a')
    log.warn('a')
    log.error('a')
    assert.equal(lines.length, printed)
  })

test('[SET-02] the fixed keys cannot be taken by a field, and an error is one text with its code', () => {
  const { lines, log } = captured('info')
  const fields: Record<string, unknown> = {
    event: 'x',
    level: 'x',
    time: 'x',
    error: new SallyportError('INTERNAL', 'gone'),
  }
  log.info('real', fields)
  const line = JSON.parse(lines[0] ?? '')
  assert.deepEqual(line, {
    level: 'info',
    time: '2026-01-31T00:00:00.000Z',
    event: 'real',
    error: 'SallyportError INTERNAL: gone',
  })
  assert.equal(lines[0]?.match(/"event"/g)?.length, 1)
})

test('[SET-03] a secret prints *** in JSON, as a text, in inspect, in a log line, deep inside or alone', () => {
  const secret = new Secret('sk-live-1234')
  const { lines, log } = captured('info')
  log.info('started', { key: secret, nested: { list: [secret] } })
  const shown = [
    JSON.stringify({ secret }),
    String(secret),
    `${secret}`,
    `a${secret}`,
    inspect(secret),
    inspect({ deep: { secret } }, { showHidden: true, depth: 9 }),
    JSON.stringify({ ...secret }),
    JSON.stringify(structuredClone({ secret })),
    ...lines,
  ]
  for (const text of shown) assert.ok(!text.includes('1234'), text)
  assert.equal(lines[0]?.match(/\*\*\*/g)?.length, 2)
  assert.equal(secret.reveal(), 'sk-live-1234')
})

const FACE = new URL('./index.ts', import.meta.url).href
const TALKER = `
const { newLog } = await import(process.argv[1])
const log = newLog({ maxBacklogBytes: 200_000 })
const before = process.memoryUsage().rss
for (let at = 0; at < 40_000; at += 1) log.info('line', { at, text: 'x'.repeat(900) })
if (process.argv[2] === 'pause') await new Promise((resolve) => setTimeout(resolve, 400))
log.info('last')
process.stdout.write(String(process.memoryUsage().rss - before))
`

test('[SET-04] nobody who reads stderr: the process goes on, and what waits is bounded', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', TALKER, FACE, 'go'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [grown] = await once(child.stdout, 'data')
  assert.ok(Number(String(grown)) < 100 * 1024 * 1024, String(grown))
  child.stderr.destroy()
  const [code] = await once(child, 'exit')
  assert.equal(code, 0, 'a reader that went away does not kill')
})

test('[SET-04] lines that were dropped are counted once there is room', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', TALKER, FACE, 'pause'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  for await (const chunk of child.stderr) text += chunk
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const dropped = lines.filter((line) => line.event === 'log-lines-dropped').reduce((sum, line) => sum + line.count, 0)
  assert.ok(dropped > 0)
  assert.equal(lines.filter((line) => line.event === 'line').length + dropped, 40_000)
  assert.equal(lines.at(-1).event, 'last')
})
