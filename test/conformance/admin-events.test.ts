/** The stream of events of the real process: what a page of the admin API sees of an agent's life. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { callDeltas, streamOf, textDeltas } from '../fixtures/chat.ts'
import { type MockHandler, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { DENY, REQUEST, SEVER } from '../fixtures/policies.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'

const DROP = JSON.stringify({ query: 'DROP TABLE customers' })
const severing: MockHandler = (_request, reply) =>
  reply.events([streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')])
const plain: MockHandler = (_request, reply) => reply.events([streamOf(textDeltas('hello there'), 'stop')])

async function withUp(
  play: MockHandler,
  body: (running: Running) => Promise<void>,
  more: { readonly dataDir?: string; readonly policy?: string } = {},
): Promise<void> {
  const mock = await startMockUpstream(play)
  const { dataDir, policy = SEVER } = more
  const running = await startSallyctl({
    policies: { 'a.yaml': policy },
    upstream: `${mock.url}/v1`,
    args: ['--limit', 'checkTimeoutMs=5000'],
    ...(dataDir === undefined ? {} : { dataDir }),
  })
  try {
    await body(running)
  } finally {
    await running.stop('SIGKILL')
    await mock.close()
  }
}

const say = (running: Running): Promise<string> =>
  fetch(`${running.ready.facade}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${running.token('growth/marketing')}` },
    body: JSON.stringify(REQUEST),
  }).then((answer) => answer.text())

type Told = { readonly event: string; readonly id: string | null; readonly data: Readonly<Record<string, unknown>> }

/** Follows the events until the test is over. */
async function follow(running: Running, { query = '', last }: { query?: string; last?: string } = {}) {
  const told: Told[] = []
  const abort = new AbortController()
  const answer = await fetch(`${running.ready.admin}/v1/events${query}`, {
    headers: {
      authorization: `Bearer ${running.ready.adminToken}`,
      ...(last === undefined ? {} : { 'last-event-id': last }),
    },
    signal: abort.signal,
  })
  assert.equal(answer.status, 200)
  const read = async (): Promise<void> => {
    let rest = ''
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = `${rest}${text}`.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks.filter((one) => !one.startsWith(':'))) {
        const lines = block.split('\n').map((line) => /^(\w+): (.*)$/.exec(line) ?? [])
        const field = (name: string): string | null => lines.find(([, key]) => key === name)?.[2] ?? null
        told.push({ event: field('event') ?? '', id: field('id'), data: JSON.parse(field('data') ?? '') })
      }
    }
  }
  void read().catch(() => {}) // the test is over
  const until = async (count: number): Promise<readonly Told[]> => {
    const end = performance.now() + 8_000
    while (told.length < count) {
      if (performance.now() > end) assert.fail(`${told.length} of ${count} events: ${JSON.stringify(told)}`)
      await sleep(10)
    }
    return told
  }
  return { until, stop: () => abort.abort() }
}

const move = (running: Running, verb: string): Promise<Response> =>
  fetch(`${running.ready.admin}/v1/agents/growth/marketing/${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${running.ready.adminToken}` },
    body: '{"reason":"a test"}',
  })

test('[ADM-14] a Sever is told as its verdict and then as the life of the agent; so are verbs and its files', () =>
  withUp(severing, async (running) => {
    const events = await follow(running)
    await say(running)
    const [first, second] = await events.until(2)
    assert.deepEqual([first?.event, first?.data['action'], first?.id], ['verdict', 'Sever', first?.data['id']])
    assert.deepEqual([second?.event, second?.data['state'], second?.id], ['agent', 'Quarantined', null])
    assert.equal('token' in (second?.data ?? {}), false)
    assert.equal((await move(running, 'release')).status, 200)
    const released = (await events.until(3)).at(2)
    assert.equal(released?.data['state'], 'Active')
    const thawed = (await events.until(4)).at(-1)
    assert.deepEqual([thawed?.data['state'], thawed?.data['acks']], ['Active', { wanted: 1, received: 1 }])
    const moves = await fetch(`${running.ready.admin}/v1/agents/growth/marketing/moves`, {
      headers: { authorization: `Bearer ${running.ready.adminToken}` },
    })
    const made = (await moves.json()) as { from: string; to: string; by: string | null; verdictId: string | null }[]
    assert.deepEqual(
      made.map(({ from, to, by, verdictId }) => [from, to, by, verdictId]),
      [
        ['Active', 'Quarantined', null, first?.id],
        ['Quarantined', 'Active', 'token', null],
      ],
    )
    running.write('a.yaml', SEVER.replace('role: marketing', 'role: sales'))
    const changed = (await events.until(5)).at(-1)
    assert.deepEqual([changed?.event, changed?.data['role']], ['agent', 'sales'])
    const { adminToken, admin } = running.ready
    const shown = await fetch(`${admin}/v1/agents/growth/marketing`, {
      headers: { authorization: `Bearer ${adminToken}` },
    })
    assert.deepEqual(await shown.json(), changed?.data, 'what is told is what can be asked')
    unlinkSync(join(running.policiesDir, 'a.yaml'))
    const ends = (await events.until(7)).slice(5) // a folder that names nobody has an agent of its own
    const gone = ends.find(({ event }) => event === 'agent-gone')
    assert.deepEqual(gone?.data, { namespace: 'growth', name: 'marketing' })
    events.stop()
  }))

test('[ADM-13] after a restart the stream goes on behind the last event that the reader had', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-data-'))
  let last = ''
  const missed: string[] = []
  try {
    await withUp(
      severing,
      async (running) => {
        const events = await follow(running)
        await say(running)
        last = (await events.until(1))[0]?.id ?? ''
        events.stop()
        await say(running)
        const log = await fetch(`${running.ready.admin}/v1/verdicts`, {
          headers: { authorization: `Bearer ${running.ready.adminToken}` },
        })
        const ids = (await log.text())
          .trim()
          .split('\n')
          .map((line) => String(JSON.parse(line).id))
        missed.push(...ids.slice(ids.indexOf(last) + 1))
      },
      { dataDir, policy: DENY },
    )
    assert.ok(missed.length > 0)
    await withUp(
      plain,
      async (running) => {
        const events = await follow(running, { last })
        assert.deepEqual(
          (await events.until(missed.length)).map(({ id }) => id),
          missed,
        )
        events.stop()
      },
      { dataDir, policy: DENY },
    )
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
