import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { Command, CommanderError, Option } from 'commander'
import { type AuditEvent, agentKeyOf } from '#pkg/model'
import { exitStatusOf, SallyportError } from '#pkg/model/errors'
import { exportEvent } from '#pkg/systems/audit'
import {
  caEvent,
  EVENT_SHAPES,
  issuanceEvent,
  keyUseEvent,
  moveEvent,
  PRODUCT,
  verdictEvent,
} from '../../../test/fixtures/audit-events.ts'
import { defineAuditExport } from './audit-export.ts'
import { type AuditSource, type ExportAsk, exportAudit } from './audit-export-run.ts'
import { type Context, FORMATS } from './ports.ts'

const RESEARCH = agentKeyOf({ namespace: 'growth', name: 'research' })
const at = (second: number): string => new Date(Date.UTC(2026, 10, 25, 8) + second * 1_000).toISOString()

/** One of each kind, a second apart. */
const LOG: readonly AuditEvent[] = [
  verdictEvent({ time: at(0) }),
  moveEvent({ time: at(1) }),
  issuanceEvent({ time: at(2), agent: RESEARCH }),
  keyUseEvent({ time: at(3) }),
  caEvent({ time: at(4) }),
  verdictEvent({ time: at(5), agent: null }),
]

async function* those(events: readonly AuditEvent[], read: AuditEvent[] = []): AsyncGenerator<AuditEvent> {
  for (const event of events) {
    read.push(event)
    yield event
  }
}

const ask = (more: Partial<ExportAsk> = {}): ExportAsk => ({ format: 'ocsf', product: PRODUCT, ...more })

const filters: readonly (readonly [name: string, more: Partial<ExportAsk>, seconds: readonly number[]])[] = [
  ['everything', {}, [0, 1, 2, 3, 4, 5]],
  ['from a moment on, itself included', { sinceMs: Date.parse(at(3)) }, [3, 4, 5]],
  ['an agent', { agent: agentKeyOf({ namespace: 'growth', name: 'marketing' }) }, [0, 1, 3]],
  ['another agent', { agent: RESEARCH }, [2]],
  ['a kind', { kind: 'verdict' }, [0, 5]],
  ['a kind of an agent since', { kind: 'verdict', agent: RESEARCH, sinceMs: 0 }, []],
]

for (const [name, more, seconds] of filters)
  for (const format of ['ocsf', 'cef', 'ecs'] as const)
    test(`[SIEM-06] the export is asked for ${name} as ${format}`, async () => {
      let out = ''
      const done = await exportAudit(those(LOG), ask({ ...more, format }), async (text) => {
        out += text
      })
      assert.deepEqual(done, { lines: seconds.length, unknown: 0, closed: false })
      const expected = seconds.map((second) => exportEvent(format, LOG[second] ?? assert.fail(), PRODUCT))
      assert.deepEqual(out.split('\n'), [...expected, ''])
    })

const MANY = Array.from({ length: 2_000 }, (_, number) => EVENT_SHAPES[number % EVENT_SHAPES.length]?.[1] ?? caEvent())

test('[SIEM-06] the export reads no more than its reader has room for', async () => {
  const read: AuditEvent[] = []
  const waits: { readonly chars: number; readonly read: number }[] = []
  let open = (): void => {}
  const done = exportAudit(those(MANY, read), ask(), (text) => {
    waits.push({ chars: text.length, read: read.length })
    return new Promise((resolve) => {
      open = resolve
    })
  })
  let first = 0
  while (waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  first = read.length
  assert.equal(waits.length, 1)
  assert.equal(waits[0]?.read, first)
  assert.ok(first < MANY.length)
  const pump = setInterval(() => open(), 0)
  assert.deepEqual(await done, { lines: MANY.length, unknown: 0, closed: false })
  clearInterval(pump)
  for (const { chars } of waits) assert.ok(chars < 64 * 1024 + 8 * 1024, `${chars}`)
})

test('[SIEM-06] a reader that goes ends the export well, and the files are left alone', async () => {
  for (const code of ['EPIPE', 'ERR_STREAM_DESTROYED']) {
    const read: AuditEvent[] = []
    let left = false
    const source = async function* (): AsyncGenerator<AuditEvent> {
      try {
        yield* those(MANY, read)
      } finally {
        left = true
      }
    }
    const done = await exportAudit(source(), ask(), () => Promise.reject(Object.assign(new Error('gone'), { code })))
    assert.deepEqual([done.closed, done.lines, left], [true, 0, true])
    assert.ok(read.length < MANY.length)
  }
})

test('[SIEM-06] any other fault of the reader or of the files is a fault of the export', async () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  await assert.rejects(
    exportAudit(those(LOG), ask(), () => Promise.reject(full)),
    full,
  )
  const torn = new SallyportError('STATE_UNAVAILABLE', 'cannot be read')
  const source = async function* (): AsyncGenerator<AuditEvent> {
    yield caEvent()
    throw torn
  }
  await assert.rejects(
    exportAudit(source(), ask(), async () => {}),
    torn,
  )
})

/** A program that exports without end to its stdout, as `sallyctl` does, and says how it ended. */
const ENDLESS = `
import { exportAudit } from '${import.meta.resolve('./audit-export-run.ts')}'
import { EVENT_SHAPES, PRODUCT } from '${import.meta.resolve('../../../test/fixtures/audit-events.ts')}'
async function* events() { for (;;) for (const [, event] of EVENT_SHAPES) yield event }
process.stdout.on('error', () => {})
const write = (text) => new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())))
const done = await exportAudit(events(), { format: 'cef', product: PRODUCT }, write)
process.exit(done.closed ? 0 : 1)
`

test('[SIEM-06] a closed pipe ends an export that has no end', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', ENDLESS], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
})

const odd: readonly AuditEvent[] = [caEvent(), { ...caEvent(), kind: 'anchor' } as never, moveEvent({ time: 'x' })]

/** Runs the verb alone, as the program would. */
async function run(words: readonly string[], events: readonly AuditEvent[] = LOG, torn = 0) {
  const seen = { out: '', err: '', status: 0, dir: '' }
  const context: Context = {
    program: 'sallyctl',
    exit: (status) => {
      seen.status = status
    },
    deps: {
      version: '1.2.3',
      env: async () => ({ HOME: '/nonexistent' }),
      stdout: async (text) => {
        seen.out += text
      },
      stderr: (text) => {
        seen.err += text
      },
      stdin: async () => new Uint8Array(),
      hasColors: false,
      onSignal: () => () => {},
      exitNow: () => assert.fail('exitNow'),
    },
  }
  const source: AuditSource = (dataDir, log) => {
    seen.dir = dataDir
    for (let line = 0; line < torn; line += 1) log.warn('audit-line-unreadable')
    return those(events)
  }
  const program = new Command('sallyctl').exitOverride().configureOutput({ writeErr: () => {} })
  program.option('--data <dir>').option('--address <url>').option('-n, --namespace <ns>')
  program.addOption(new Option('-o, --output <format>').choices([...FORMATS]))
  const audit = program.command('audit').exitOverride()
  defineAuditExport(audit, context, source)
  for (const command of audit.commands) command.exitOverride().configureOutput({ writeErr: () => {} })
  try {
    await program.parseAsync(['audit', 'export', ...words], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) seen.status = 64
    else if (error instanceof SallyportError) seen.status = exitStatusOf(error.code)
    else throw error
  }
  return seen
}

const ends: readonly (readonly [words: readonly string[], status: number, lines: number])[] = [
  [[], 0, 6],
  [['--format', 'ecs', '--kind', 'ca'], 0, 1],
  [['--format', 'cef', '--agent', 'research', '-n', 'growth'], 0, 1],
  [['--since', '2026-11-25T08:00:04Z'], 0, 2],
  [['-o', 'json'], 0, 6],
  [['-o', 'json', '--format', 'cef'], 64, 0],
  [['-o', 'yaml'], 64, 0],
  [['--since', 'yesterday'], 64, 0],
  [['--agent', 'a/b/c'], 64, 0],
  [['--kind', 'anchor'], 64, 0],
  [['--format', 'leef'], 64, 0],
  [['--trust-domain', 'A B'], 64, 0],
  [['--address', 'http://127.0.0.1:1'], 64, 0],
]

for (const [words, status, lines] of ends)
  test(`[SIEM-06] audit export ${words.join(' ')} ends with ${status}`, async () => {
    const seen = await run(['--data', '/data', ...words])
    assert.equal(seen.status, status)
    assert.equal(seen.out.split('\n').length - 1, lines)
    if (status === 0) assert.deepEqual([seen.err, seen.dir], ['', '/data'])
  })

test('[SIEM-06] what this version cannot say is counted, told and shows in the status', async () => {
  const seen = await run([], odd)
  assert.deepEqual([seen.status, seen.out.split('\n').length - 1], [1, 1])
  assert.match(seen.err, /^sallyctl: left out: 2 events /)
})

test('[SIEM-06] lines that are no events are counted, told and show in the status', async () => {
  const seen = await run([], LOG, 3)
  assert.deepEqual([seen.status, seen.out.split('\n').length - 1], [1, LOG.length])
  assert.match(seen.err, /^sallyctl: left out: 3 lines /)
})

test('[SIEM-06] with a trust domain every agent has its SPIFFE ID', async () => {
  const { out } = await run(['--format', 'ecs', '--kind', 'key-use', '--trust-domain', 'corp.example'])
  assert.equal(JSON.parse(out).user.id, 'spiffe://corp.example/ns/growth/agent/marketing')
  assert.equal(JSON.parse((await run(['--format', 'ecs', '--kind', 'key-use'])).out).user.id, 'growth/marketing')
})
