/** The life of an agent through the real process: verbs, files, restarts. DESIGN §5, POLICY.md "Agent". */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { streamOf, textDeltas } from '../fixtures/chat.ts'
import { type MockHandler, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'
import { type Ran, SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, type Setup, startSallyctl } from '../fixtures/sallyctl.ts'

const plain: MockHandler = (_request, reply) => reply.events([streamOf(textDeltas('hello there'), 'stop')])
const NAME = 'growth/marketing'
const WHY = ['--reason', 'looks odd'] as const

async function withProcess(body: (running: Running) => Promise<void>, more: Partial<Setup> = {}): Promise<void> {
  const mock = await startMockUpstream(plain)
  const running = await startSallyctl({ policies: { 'a.yaml': DENY }, upstream: `${mock.url}/v1`, ...more })
  try {
    await body(running)
  } finally {
    await running.stop('SIGKILL')
    await mock.close()
  }
}

const sallyctl = (running: Running, ...words: readonly string[]): Promise<Ran> =>
  spawned(SALLYCTL, [...words, '--data', running.dataDir])

/** 200, or the reason of the refusal. */
async function ask(running: Running): Promise<string> {
  const response = await fetch(`${running.ready.facade}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${running.token(NAME)}` },
    body: JSON.stringify(REQUEST),
  })
  const text = await response.text()
  return response.status === 200 ? '200' : JSON.parse(text).error.code
}

type Answer = { readonly status: number; readonly json: Record<string, unknown> & { error?: { code: string } } }

async function post(running: Running, verb: string, body: object): Promise<Answer> {
  const response = await fetch(`${running.ready.admin}/v1/agents/${NAME}/${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${running.ready.adminToken}` },
    body: JSON.stringify({ reason: 'looks odd', ...body }),
  })
  return { status: response.status, json: (await response.json()) as Answer['json'] }
}

async function stateOf(running: Running): Promise<string> {
  const response = await fetch(`${running.ready.admin}/v1/agents/${NAME}`, {
    headers: { authorization: `Bearer ${running.ready.adminToken}` },
  })
  const { state, epoch, warnings } = (await response.json()) as {
    state: string
    epoch: number
    warnings: { code: string }[]
  }
  return [`${state}@${epoch}`, ...warnings.map(({ code }) => code)].join(' ')
}

async function until(look: () => Promise<string>, wanted: string): Promise<void> {
  const end = performance.now() + 8_000
  for (;;) {
    const now = await look()
    if (now === wanted) return
    if (performance.now() > end) assert.fail(`${now}, not ${wanted}`)
    await sleep(30)
  }
}

const withState = (spec: string): string => DENY.replace('spec: { state: Active }', `spec: ${spec}`)

test('[LIFE-18] by sallyctl: stopped, refused at once with its own reason, released, and on record with who and why', () =>
  withProcess(async (running) => {
    const steps: readonly (readonly [words: readonly string[], status: number, next: string])[] = [
      [['quarantine', NAME, ...WHY], 0, 'IDENTITY_AGENT_QUARANTINED'],
      [['reinstate', NAME, ...WHY], 1, 'IDENTITY_AGENT_QUARANTINED'],
      [['release', NAME, ...WHY], 0, '200'],
      [['suspend', '-n', 'growth', 'marketing', ...WHY], 0, 'IDENTITY_AGENT_SUSPENDED'],
      [['release', NAME, ...WHY], 1, 'IDENTITY_AGENT_SUSPENDED'],
      [['reinstate', NAME, ...WHY], 0, '200'],
      [['terminate', NAME, ...WHY, '--confirm', 'marketing'], 1, '200'],
      [['terminate', NAME, ...WHY, '--confirm', 'markting', '--force'], 65, '200'],
      [['terminate', NAME, ...WHY, '--confirm', 'marketing', '--force'], 0, 'IDENTITY_AGENT_TERMINATED'],
      [['release', NAME, ...WHY], 1, 'IDENTITY_AGENT_TERMINATED'],
      [['agents', 'forget', NAME, ...WHY], 0, '200'],
    ]
    assert.equal(await ask(running), '200')
    for (const [words, status, next] of steps) {
      const ran = await sallyctl(running, ...words)
      assert.equal(ran.status, status, `${words.join(' ')}: ${ran.out}${ran.err}`)
      assert.equal(await ask(running), next, words.join(' '))
    }
    assert.match(running.stderr(), /"event":"agent-moved".*"to":"Quarantined".*"why":"looks odd","by":"socket:uid=\d+"/)
  }))

test('[LIFE-18] what a verb did outlives kill −9; terminated is final also when the file says Active', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-data-'))
  try {
    const verbs: readonly (readonly [verb: string, body: object, state: string])[] = [
      ['suspend', {}, 'Suspended@2'],
      ['terminate', { confirm: 'marketing' }, 'Terminated@3'],
      ['forget', {}, 'Active@4'],
    ]
    for (const [verb, body, state] of verbs)
      await withProcess(
        async (running) => {
          const { status, json } = await post(running, verb, body)
          assert.deepEqual([status, json['durable'], await stateOf(running)], [200, true, state])
        },
        { dataDir },
      )
    await withProcess(async (running) => assert.equal(await stateOf(running), 'Active@4'), { dataDir })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('[LIFE-18] a verb and the file agree: the stricter counts, and a verb that the file overrides says which line', () =>
  withProcess(async (running) => {
    running.write('a.yaml', withState('{ state: Quarantined, reason: looks odd }'))
    await until(() => stateOf(running), 'Quarantined@2')
    const refused = await sallyctl(running, 'release', NAME, ...WHY)
    assert.equal(refused.status, 1)
    assert.match(refused.err, /MOVE_OVERRIDDEN: .*a\.yaml:5 says "state: Quarantined"/)
    assert.equal((await post(running, 'suspend', {})).json['to'], 'Suspended')
    running.write('a.yaml', DENY)
    await sleep(300)
    assert.equal(await stateOf(running), 'Suspended@3')
    assert.equal((await post(running, 'reinstate', {})).json['to'], 'Active')
    assert.equal(await ask(running), '200')
  }))

test('[LIFE-16] a file that asks for what is no move changes nothing, and `agents` says so with the line', () =>
  withProcess(async (running) => {
    running.write('a.yaml', withState('{ state: Terminated, reason: leaked }'))
    await until(() => stateOf(running), 'Active@1 MOVE_REFUSED')
    assert.equal(await ask(running), '200')
    running.write('a.yaml', withState('{ state: Terminated, reason: leaked, force: true }'))
    await until(() => stateOf(running), 'Terminated@2')
    running.write('a.yaml', DENY)
    await until(() => stateOf(running), 'Terminated@2 MOVE_REFUSED')
    assert.equal(await ask(running), 'IDENTITY_AGENT_TERMINATED')
  }))

test('[LIFE-17] activation Manual: an agent waits for a person, whom a restart does not replace', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-data-'))
  const policies = { 'a.yaml': DENY.replace('  role: marketing', '  role: marketing\n  activation: Manual') }
  try {
    for (const _ of ['first', 'again'])
      await withProcess(
        async (running) => {
          assert.deepEqual(
            [running.ready.agents[0]?.state, await ask(running)],
            ['Provisioned', 'IDENTITY_AGENT_PROVISIONED'],
          )
        },
        { policies, dataDir },
      )
    await withProcess(
      async (running) => {
        assert.equal((await post(running, 'quarantine', {})).json.error?.code, 'MOVE_REFUSED')
        assert.equal((await post(running, 'release', {})).json['to'], 'Active')
        assert.equal(await ask(running), '200')
      },
      { policies, dataDir },
    )
    await withProcess(async (running) => assert.equal(await ask(running), '200'), { policies, dataDir })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('[LIFE-15] verbs at the same time are one after the other, and a release covers only what was seen', () =>
  withProcess(async (running) => {
    const many = await Promise.all(Array.from({ length: 12 }, () => post(running, 'quarantine', {})))
    assert.equal(many.filter(({ json }) => json['changed'] === true).length, 1)
    assert.deepEqual([...new Set(many.map(({ json }) => json['epoch']))], [2])
    await Promise.all([post(running, 'suspend', {}), post(running, 'release', { throughEpoch: 2 })])
    assert.ok(['Suspended@3', 'Active@2'].includes(await stateOf(running)), await stateOf(running))
    await post(running, 'suspend', {})
    const stale = await post(running, 'reinstate', { throughEpoch: 2 })
    assert.deepEqual([stale.json['to'], stale.json['epoch']], ['Suspended', 3])
    assert.equal((await post(running, 'reinstate', { throughEpoch: 3 })).json['to'], 'Active')
  }))
