import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { agentKeyOf } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { systemClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { type Lifecycle, openLifecycle } from './index.ts'

const FACE = new URL('./index.ts', import.meta.url).href
/** Severs one agent after the other and says each on stdout, in the listener or after the return. */
const CHILD = `
const { openLifecycle } = await import(process.argv[1])
const { writeSync } = await import('node:fs')
const log = { debug() {}, info() {}, warn() {}, error() {} }
const life = openLifecycle({ clock: { nowMs: () => 0, monotonicUs: () => 0 }, log }, { dataDir: process.argv[2] })
const keys = Array.from({ length: 4000 }, (_, at) => 'n/a' + at)
life.apply(keys.map((key) => ({ key, state: 'Active', reason: '', releaseThroughEpoch: 0 })))
if (process.argv[3] === 'listener') life.onChange((standing) => writeSync(1, standing.agent + '\\n'))
writeSync(1, 'ready\\n')
for (const key of keys) {
  life.sever(key, { code: 'INTENT_SQL_DDL', verdictId: 'v_1' })
  if (process.argv[3] === 'return') writeSync(1, key + '\\n')
  if (process.argv[3] === 'wait') await new Promise(() => setInterval(() => {}, 1000))
}
`

async function withChild(
  when: 'listener' | 'return' | 'wait',
  body: (dataDir: string, child: ChildProcess, line: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-crash-'))
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, FACE, dataDir, when], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]()
  try {
    await body(dataDir, child, async () => (await lines.next()).value ?? '')
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(dataDir, { recursive: true, force: true })
  }
}

function open(dataDir: string): Lifecycle {
  return openLifecycle({ clock: systemClock, log: silentLog }, { dataDir })
}

function ceilings(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    key: agentKeyOf({ namespace: 'n', name: `a${at}` }),
    state: 'Active' as const,
    reason: '',
    releaseThroughEpoch: 0,
  }))
}

for (const when of ['listener', 'return'] as const)
  test(`[LIFE-12] after kill -9 every sever that was seen (${when}) still stands, and the lock is taken over`, () =>
    withChild(when, async (dataDir, child, line) => {
      assert.equal(await line(), 'ready')
      const seen: string[] = []
      for (let count = 0; count < 25; count += 1) seen.push(await line())
      child.kill('SIGKILL')
      for (let next = await line(); next !== ''; next = await line()) seen.push(next)
      if (child.signalCode === null) await once(child, 'exit')
      const life = open(dataDir)
      life.apply(ceilings(4_000))
      const standing = new Map(life.all().map((one) => [String(one.agent), one]))
      for (const agent of seen) {
        assert.equal(standing.get(agent)?.state, 'Quarantined', agent)
        assert.equal(standing.get(agent)?.epoch, 2, agent)
      }
      assert.ok(life.all().filter((one) => one.state === 'Quarantined').length <= seen.length + 1)
      life.close()
    }))

test('[LIFE-13] a folder that another process uses is refused, and is free after its end', () =>
  withChild('wait', async (dataDir, child, line) => {
    assert.equal(await line(), 'ready')
    assert.throws(
      () => open(dataDir),
      (error) => isErrorCode(error, 'STATE_UNAVAILABLE') && String(error).includes(String(child.pid)),
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    open(dataDir).close()
  }))

test('[LIFE-13] one process cannot open a folder twice, and can again after a close', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-lock-'))
  const life = open(dataDir)
  assert.throws(
    () => open(dataDir),
    (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
  )
  const lock = await readFile(join(dataDir, 'lock'), 'utf8')
  life.close()
  open(dataDir).close()
  if (process.platform === 'linux') {
    await writeFile(join(dataDir, 'lock'), lock.replace(/:\d+"/, ':1"'))
    open(dataDir).close() // the same number, another process: a container that was started anew
  }
  await writeFile(join(dataDir, 'lock'), 'something else')
  assert.throws(
    () => open(dataDir),
    (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
  )
  await rm(dataDir, { recursive: true })
})
