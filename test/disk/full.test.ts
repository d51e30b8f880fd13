/** The real process on a disk that is full: closed with a reason, alive, and open again once there is room. DESIGN §9. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { callDeltas, chunkOf, lf, streamOf, textDeltas } from '../fixtures/chat.ts'
import { headOf, type KillBench, PLAIN_WAYS, WAYS, withKillBench } from '../fixtures/kill.ts'
import { type MockHandler, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { DENY, REQUEST, SEVER } from '../fixtures/policies.ts'
import { type Ran, SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'
import { openSmallDisk, type SmallDisk } from './small-disk.ts'

const AGENT = 'growth/marketing'
const CLOSED = 'AUDIT_UNAVAILABLE'

async function onSmallDisk(body: (disk: SmallDisk, dataDir: string) => Promise<void>): Promise<void> {
  const disk = openSmallDisk()
  try {
    await body(disk, join(disk.path, 'data'))
  } finally {
    disk.close()
  }
}

async function until(holds: () => Promise<boolean> | boolean, what: string, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`not within ${withinMs} ms: ${what}`)
    await sleep(20)
  }
}

const cli = (dataDir: string, ...words: readonly string[]): Promise<Ran> =>
  spawned(SALLYCTL, [...words, '--data', dataDir])

type Health = { readonly status: number; readonly reasons: readonly string[] }

async function healthOf({ ready }: Pick<Running, 'ready'>): Promise<Health> {
  const headers = { authorization: `Bearer ${ready.adminToken}` }
  const response = await fetch(`${ready.admin}/healthz`, { headers })
  return { status: response.status, ...((await response.json()) as { reasons: readonly string[] }) }
}

/** `200` once the first bytes are there, else status and body of the refusal. */
async function askOn(bench: KillBench, head: string): Promise<{ readonly status: number; readonly body: string }> {
  const client = await bench.raw()
  try {
    client.send(head)
    await client.until('\r\n\r\n')
    if (/^HTTP\/1\.1 (?:200|101)/.test(client.seen())) return { status: 200, body: '' }
    return await client.answer()
  } finally {
    client.close()
  }
}

/** Where each dialect says why: as its own clients read it. */
const SHAPES: readonly (readonly [way: RegExp, reasonOf: (body: Body) => unknown])[] = [
  [/^openai/, ({ error }) => error?.code],
  [/^anthropic/, (body) => (body.type === 'error' ? body.error?.code : null)],
  [/^gemini/, ({ error }) => error?.details?.[0]?.reason],
  [/^(?:mcp|a2a)/, ({ jsonrpc, error }) => (jsonrpc === '2.0' ? error?.data?.reason : null)],
]

type Body = {
  readonly type?: string
  readonly jsonrpc?: string
  readonly error?: {
    readonly code?: unknown
    readonly details?: readonly { readonly reason?: string }[]
    readonly data?: { readonly reason?: string }
  }
}

/** Each way is asked over and over until it is refused: the body of that refusal. */
function workers(bench: KillBench, heads: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    heads.map(async (head) => {
      for (;;) {
        const { status, body } = await askOn(bench, head)
        if (status !== 200) return body
      }
    }),
  )
}

async function assertClosed(bench: KillBench, ways: readonly (readonly [name: string, head: string])[]): Promise<void> {
  const before = bench.mock.requests.length
  for (const [name, head] of ways) {
    const { status, body } = await askOn(bench, head)
    const reasonOf = SHAPES.find(([way]) => way.test(name))?.[1]
    const reason = reasonOf === undefined ? /sallyport: (\w+)/.exec(body)?.[1] : reasonOf(JSON.parse(body))
    assert.deepEqual([name, status, reason], [name, 403, CLOSED], body)
  }
  assert.equal(bench.mock.requests.length, before, 'nothing went out')
}

test('[PROMISE-CLOSED] [DISK-01] a disk that fills while agents work: every dialect is closed with its own error, nothing goes out, room opens it', () =>
  onSmallDisk((disk, dataDir) =>
    withKillBench(
      async (bench) => {
        const dialects = WAYS.map((way) => [way.name, headOf(bench, way)] as const)
        const ways = [...dialects, ...PLAIN_WAYS.map(([name, head]) => [name, head(bench)] as const)]
        const works = async (): Promise<void> => {
          for (const [name, head] of ways) assert.equal((await askOn(bench, head)).status, 200, name)
        }
        await works()
        const ended = workers(
          bench,
          dialects.map(([, head]) => head),
        )
        await disk.fillSlowly()
        for (const body of await ended) assert.ok(body.includes(CLOSED), body)
        await assertClosed(bench, ways)
        const { status, reasons } = await healthOf(bench.running)
        assert.deepEqual([status, reasons.some((why) => why.startsWith('verdicts cannot be written'))], [503, true])
        assert.deepEqual([bench.running.child.exitCode, (await cli(dataDir, 'agents')).status], [null, 0])
        disk.makeRoom()
        await until(async () => (await healthOf(bench.running)).status === 200, 'it recovers by itself')
        await works()
        await bench.running.stop('SIGTERM')
        const verified = await cli(dataDir, 'audit', 'verify')
        assert.equal(verified.status, 0, verified.out)
        const uses = readFileSync(join(dataDir, 'audit.jsonl'), 'utf8').split('"kind":"key-use"').length - 1
        const keyed = bench.mock.requests.filter(({ rawHead }) => rawHead.includes('sk-provider-key'))
        assert.equal(uses, keyed.length, 'what went out with a key is on record')
      },
      undefined,
      { dataDir },
    ),
  ))

/** Text at once; a call of `run_sql` when the gate opens. */
function gated(sql: string): { readonly play: MockHandler; open(): void } {
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const events = (deltas: readonly object[]): string => deltas.map((delta) => lf(chunkOf(delta))).join('')
  const play: MockHandler = async (request, reply) => {
    if (!request.body.includes('"stay"')) return reply.events([streamOf(textDeltas('hello there'), 'stop')])
    await reply.head(200, { 'content-type': 'text/event-stream' })
    await reply.chunk(events([{ role: 'assistant', content: '' }, { content: 'hello there' }]))
    await gate
    await reply.chunk(events(callDeltas(0, 'run_sql', JSON.stringify({ query: sql }))))
    await reply.chunk(lf(chunkOf({}, 'tool_calls')) + lf('[DONE]'))
    await reply.finish()
  }
  return { play, open: () => open() }
}

type Bench = {
  readonly disk: SmallDisk
  readonly dataDir: string
  readonly running: Running
  /** The process anew on the same folder; throws where it does not start. */
  again(): Promise<Running>
}

async function withProcess(policy: string, play: MockHandler, body: (bench: Bench) => Promise<void>): Promise<void> {
  await onSmallDisk(async (disk, dataDir) => {
    const mock = await startMockUpstream(play)
    const started: Running[] = []
    const again = async (): Promise<Running> => {
      const args = ['--limit', 'checkTimeoutMs=5000']
      const running = await startSallyctl({ policies: { 'a.yaml': policy }, upstream: `${mock.url}/v1`, args, dataDir })
      started.push(running)
      return running
    }
    try {
      await body({ disk, dataDir, running: await again(), again })
    } finally {
      for (const running of started) if (running.child.exitCode === null) running.child.kill('SIGKILL')
      await mock.close()
    }
  })
}

const chat = (running: Running, content = 'go on', token = running.token(AGENT)): Promise<Response> =>
  fetch(`${running.ready.facade}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ ...REQUEST, messages: [{ role: 'user', content }] }),
  })

/** 200, or the reason of the refusal. */
async function ask(running: Running, token?: string): Promise<string> {
  const response = await chat(running, 'go on', token)
  const text = await response.text()
  return response.status === 200 ? '200' : JSON.parse(text).error.code
}

/** Fills the disk, the last page of each file too. */
async function close({ disk, running }: Bench): Promise<void> {
  disk.fill()
  await until(async () => (await ask(running)) === CLOSED, 'closed')
}

async function open({ disk }: Bench, running: Running): Promise<void> {
  disk.makeRoom()
  let last: Health | null = null
  const healthy = async (): Promise<boolean> => {
    last = await healthOf(running)
    return last.status === 200
  }
  await until(healthy, 'it recovers by itself').catch(() => assert.fail(`${JSON.stringify(last)}\n${running.stderr()}`))
}

async function killed(running: Running): Promise<void> {
  running.child.kill('SIGKILL')
  await once(running.child, 'exit')
}

type Seen = { readonly state: string; readonly epoch: number; readonly token: string | null }

async function agentOf(dataDir: string, name = AGENT): Promise<Seen> {
  const { out, err } = await cli(dataDir, 'agents', name, '-o', 'json')
  assert.notEqual(out, '', err)
  return JSON.parse(out) as Seen
}

for (const [row, policy, sql, after] of [
  ['an allowed call', DENY, 'SELECT 1', '200'],
  ['a DROP TABLE under Sever', SEVER, 'DROP TABLE customers', 'IDENTITY_AGENT_QUARANTINED'],
] as const) {
  const { play, open: openGate } = gated(sql)
  test(`[PROMISE-CLOSED] [DISK-02] the disk fills in mid-answer: ${row} is refused in the stream, and what it set off outlives a kill`, () =>
    withProcess(policy, play, async (bench) => {
      const { running, again } = bench
      const streaming = await chat(running, 'stay')
      assert.equal(streaming.status, 200)
      await close(bench)
      openGate()
      const text = await streaming.text()
      assert.ok(text.includes('hello there') && text.includes(`sallyport: ${CLOSED}: `), text)
      assert.ok(!text.includes('"tool_calls":[') && !text.includes(sql), text)
      await open(bench, running)
      assert.equal(await ask(running), after)
      await killed(running)
      assert.equal(await ask(await again()), after)
    }))
}

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

const plain: MockHandler = (_request, reply) => reply.events([streamOf(textDeltas('hello there'), 'stop')])
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
