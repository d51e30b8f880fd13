/** State, keys and starts on a disk that is full: what holds, what is refused, and what comes with the room. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DENY } from '../fixtures/policies.ts'
import { type Ran, SALLYCTL } from '../fixtures/run-cli.ts'
import {
  AGENT,
  agentOf,
  ask,
  type Bench,
  CLOSED,
  cli,
  close,
  healthOf,
  killed,
  onSmallDisk,
  open,
  plain,
  until,
  withProcess,
} from './bench.ts'

/** Agents beside the one of the tests. */
const OTHERS = Array.from({ length: 40 }, (_, at) => `a${at}`)
const MANY = [
  DENY,
  ...OTHERS.map(
    (name) => `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: ${name}, namespace: growth, labels: { app: marketing-agent } }
spec: { state: Active }
`,
  ),
].join('---')

/** Fills the disk, and then the last page of the state too, by verbs on other agents. */
async function closeState(bench: Bench): Promise<void> {
  await close(bench)
  const { ready, stderr } = bench.running
  for (const name of OTHERS) {
    const response = await fetch(`${ready.admin}/v1/agents/growth/${name}/quarantine`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ready.adminToken}` },
      body: JSON.stringify({ reason: 'looks odd' }),
    })
    assert.equal(response.status, 200)
    await response.text()
    if (stderr().includes('"lifecycle-state-unavailable"')) return
  }
  assert.fail('the state was written down all the same')
}

const WHY = ['--reason', 'looks odd'] as const

test('[DISK-03] verbs on a full disk: what takes rights away holds and says that it is not written; what gives them back is refused', () =>
  withProcess(MANY, plain, async (bench) => {
    const { running, dataDir, again } = bench
    await closeState(bench)
    const taken = await cli(dataDir, 'quarantine', AGENT, ...WHY, '-o', 'json')
    assert.deepEqual([taken.status, JSON.parse(taken.out).to, JSON.parse(taken.out).durable], [1, 'Quarantined', false])
    assert.match(taken.err, /in force, but could not be written down: a restart would lose it; make room on the disk/)
    const given = await cli(dataDir, 'release', AGENT, ...WHY)
    assert.equal(given.status, 69)
    assert.match(given.err, /STATE_UNAVAILABLE: growth\/marketing stays as it is: .*make room on the disk/)
    assert.deepEqual([(await agentOf(dataDir)).state, await ask(running)], ['Quarantined', CLOSED])
    await open(bench, running)
    assert.equal(await ask(running), 'IDENTITY_AGENT_QUARANTINED')
    await killed(running)
    const next = await again()
    assert.equal(await ask(next), 'IDENTITY_AGENT_QUARANTINED')
    assert.equal((await cli(dataDir, 'release', AGENT, ...WHY)).status, 0)
    assert.equal(await ask(next), '200')
    const moves = await cli(dataDir, 'audit', 'tail', '--kind', 'move', '--agent', AGENT, '-o', 'json')
    const to = moves.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).to)
    assert.deepEqual(to, ['Quarantined', 'Active'], 'each once')
    assert.equal((await cli(dataDir, 'audit', 'verify')).status, 0)
  }))

test('[DISK-03] killed on a full disk: it does not start on one; with room it does, with what had been written', () =>
  withProcess(MANY, plain, async (bench) => {
    const { running, dataDir, disk, again } = bench
    assert.equal(await ask(running), '200')
    await closeState(bench)
    assert.equal((await cli(dataDir, 'quarantine', AGENT, ...WHY)).status, 1)
    await killed(running)
    await assert.rejects(again(), /ended with 69: .*the disk is full: make room/s)
    disk.makeRoom()
    const next = await again()
    assert.equal(await ask(next), '200', 'the verb had said that a restart would lose it')
    assert.equal((await cli(dataDir, 'audit', 'verify')).status, 0)
  }))

const LATE = `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: late, namespace: growth, labels: { app: marketing-agent } }
spec: { state: Active }
`

test('[DISK-04] the CA and the policies on a full disk: a verb changes nothing and says why; a new policy holds at once, new tokens come with the room', () =>
  withProcess(DENY, plain, async (bench) => {
    const { running, dataDir } = bench
    assert.equal(await ask(running), '200')
    const before = await cli(dataDir, 'ca', 'status', '-o', 'json')
    await close(bench)
    const made = await cli(dataDir, 'ca', 'prepare', 'x509', ...WHY)
    assert.equal(made.status, 69)
    assert.match(made.err, /STATE_UNAVAILABLE: .*ca\/.* cannot be written.*the disk is full: make room/)
    assert.equal((await cli(dataDir, 'ca', 'status', '-o', 'json')).out, before.out)
    running.write('a.yaml', DENY.replace('gpt-5*', 'gpt-6*'))
    running.write('b.yaml', LATE)
    await until(() => running.stderr().includes('"policies-loaded"'), 'the change is read')
    const models = await cli(dataDir, 'policy', 'effective', AGENT, '-o', 'json')
    assert.ok(models.out.includes('gpt-6*') && !models.out.includes('gpt-5*'), models.out)
    assert.equal((await agentOf(dataDir, 'growth/late')).token, null)
    await open(bench, running)
    assert.equal(await ask(running), 'MODEL_NOT_GRANTED')
    const { token } = await agentOf(dataDir, 'growth/late')
    assert.equal(await ask(running, token ?? ''), 'MODEL_NOT_GRANTED', 'known by its token')
    assert.equal((await cli(dataDir, 'ca', 'prepare', 'x509', ...WHY)).status, 0)
  }))

/** Long enough for the keys of the CA, which are made behind the ready line. */
const KEYS_MS = 700

/** A start with the starter policies. Once it is ready it gets its room, has to be healthy then by itself, and is ended. */
async function start(dataDir: string, makeRoom: () => void): Promise<Ran> {
  const words = ['up', '--simulate', '--port', '0', '--admin-port', '0', '-o', 'json', '--data', dataDir]
  const child = spawn(SALLYCTL, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const closed = once(child, 'close') as Promise<[number | null]> // as `close` tells
  try {
    await Promise.race([until(() => out.endsWith('\n'), 'ready', 20_000), closed])
    if (child.exitCode === null) {
      await sleep(KEYS_MS)
      makeRoom()
      const ready = JSON.parse(out)
      await until(async () => (await healthOf({ ready })).status === 200, `it recovers by itself: ${err}`)
    }
  } finally {
    child.kill('SIGTERM')
  }
  const [status] = await closed
  return { status: status ?? -1, out, err }
}

test('[DISK-05] a first start on a disk with too little room says so, and what it left behind is no hindrance to the next', async () => {
  for (const pages of [0, 1, 3, 5, 7, 9])
    await onSmallDisk(async (disk, dataDir) => {
      disk.fill(pages * 4_096)
      const { status, err } = await start(dataDir, () => disk.makeRoom())
      assert.ok(
        status === 0 || (status === 69 && err.includes('the disk is full: make room')),
        `${pages} pages: ${err}`,
      )
      assert.doesNotMatch(err, /INTERNAL|\n +at /, `${pages} pages`)
      disk.makeRoom()
      const next = await start(dataDir, () => {})
      assert.ok(next.status === 0 && next.out.includes('"name":"agent"'), `${pages} pages, then room: ${next.err}`)
      assert.equal((await cli(dataDir, 'audit', 'verify')).status, 0)
    })
})
