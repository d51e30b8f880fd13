/** Traffic on a disk that is full: closed with a reason on every dialect, alive, and open again once there is room. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { callDeltas, chunkOf, lf, streamOf, textDeltas } from '../fixtures/chat.ts'
import { headOf, type KillBench, PLAIN_WAYS, WAYS, withKillBench } from '../fixtures/kill.ts'
import type { MockHandler } from '../fixtures/mock-upstream.ts'
import { DENY, SEVER } from '../fixtures/policies.ts'
import { ask, CLOSED, chat, cli, close, healthOf, killed, onSmallDisk, open, until, withProcess } from './bench.ts'

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
