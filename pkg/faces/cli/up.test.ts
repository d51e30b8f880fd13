import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf } from '#pkg/model'
import { systemClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { openLifecycle } from '#pkg/systems/lifecycle'
import { type Ran, SALLYCTL, spawned } from '../../../test/fixtures/run-cli.ts'

const POLICY = `apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing }
spec:
  selector: { matchLabels: { app: marketing } }
  role: marketing
  tools: { allow: [ { name: run_sql, intents: [sql.read] } ] }
  intents: { allow: [sql.read] }
  llm: { providers: [ { name: openai, type: OpenAI, models: ["*"] } ] }
---
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing, labels: { app: marketing } }
spec: {}
`

type Up = {
  readonly child: ChildProcess
  readonly first: () => Promise<string>
  readonly ended: Promise<Ran>
  readonly dir: string
}

/** Runs `sallyctl up` on free ports in a folder of its own; whatever happens, it ends with the test. */
async function withUp(
  words: readonly string[],
  body: (up: Up) => Promise<void>,
  policy: string | null = POLICY,
  prepare: (dataDir: string) => void = () => {},
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-up-'))
  mkdirSync(join(dir, 'policies'))
  if (policy !== null) writeFileSync(join(dir, 'policies', 'marketing.yaml'), policy)
  prepare(join(dir, 'data'))
  const folders = ['--policies', join(dir, 'policies'), '--data', join(dir, 'data')]
  const child = spawn(SALLYCTL, ['up', '--port', '0', '--admin-port', '0', ...folders, ...words], {
    env: { PATH: process.env['PATH'] ?? '', HOME: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    err += chunk
  })
  const ended = new Promise<Ran>((resolve) =>
    child.on('close', (status) => resolve({ status: status ?? -1, out, err })),
  )
  const first = async (): Promise<string> => {
    const end = performance.now() + 15_000
    while (!out.includes('\n')) {
      if (performance.now() > end || child.exitCode !== null) assert.fail(`not ready: ${out} ${err}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return out.slice(0, out.indexOf('\n'))
  }
  try {
    await body({ child, first, ended, dir })
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(dir, { recursive: true })
  }
}

test('[CLI-04] up -o json: the first line says where it listens and who may speak; SIGTERM drains, exit 0', async () =>
  withUp(['-o', 'json'], async ({ child, first, ended, dir }) => {
    const ready = JSON.parse(await first())
    assert.deepEqual(Object.keys(ready), ['ready', 'facade', 'admin', 'adminToken', 'agents', 'warnings'])
    assert.equal(ready.ready, true)
    const [agent] = ready.agents
    assert.deepEqual(Object.keys(agent), ['namespace', 'name', 'token', 'state', 'reason'])
    assert.deepEqual([agent.state, agent.reason, ready.warnings], ['Active', null, []])
    assert.deepEqual([agent.namespace, agent.name], ['default', 'marketing'])
    assert.match(agent.token, /^sp_vk_/)

    const data = ['--data', join(dir, 'data'), '-o', 'json']
    const refused = await fetch(`${ready.facade}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sp_vk_wrong' },
      body: '{"model":"m","messages":[]}',
    })
    assert.equal(refused.status, 403)
    const facade = await spawned(SALLYCTL, ['agents', '--address', ready.facade])
    assert.equal(facade.status, 69)
    assert.match(facade.err, /this is the facade, .*--admin-port/)
    const records = (await spawned(SALLYCTL, ['verdicts', ...data])).out.split('\n').slice(0, -1)
    const record = JSON.parse(records[0] ?? '')
    assert.deepEqual([record.agent, record.action, record.reasons], [null, 'Deny', ['IDENTITY_TOKEN_UNKNOWN']])
    assert.equal(record.id, refused.headers.get('x-sallyport-verdict'))

    const agents = JSON.parse((await spawned(SALLYCTL, ['agents', ...data])).out)
    assert.equal(agents[0].token, agent.token)
    const over = await spawned(SALLYCTL, ['agents', '--address', ready.admin], {
      env: { SALLYPORT_ADMIN_TOKEN: ready.adminToken },
    })
    assert.equal(over.status, 0)
    const drop = join(dir, 'call.json')
    writeFileSync(drop, '{"name":"run_sql","arguments":{"query":"DROP TABLE t"}}')
    const explained = JSON.parse((await spawned(SALLYCTL, ['policy', 'explain', 'marketing', drop, ...data])).out)
    assert.deepEqual([explained.action, explained.reasons], ['Deny', ['INTENT_SQL_DDL']])
    writeFileSync(drop, '{"name":"run_sql","arguments":{"query":"SELECT 1"}}')
    const allowed = JSON.parse((await spawned(SALLYCTL, ['policy', 'explain', 'marketing', drop, ...data])).out)
    assert.deepEqual([allowed.action, allowed.policy, allowed.rule], ['Allow', 'default/marketing', 'tools.allow[0]'])

    const second = await spawned(SALLYCTL, ['up', '--port', '0', '--admin-port', '0', '--data', join(dir, 'data')])
    assert.equal(second.status, 69, 'two processes on one data folder')

    child.kill('SIGTERM')
    const { status, out, err } = await ended
    assert.equal(status, 0)
    assert.equal(out.split('\n').length, 2, 'nothing but the ready line on stdout')
    for (const line of err.split('\n').slice(0, -1)) JSON.parse(line)
    for (const secret of [agent.token, ready.adminToken]) assert.equal(err.includes(secret), false)
    assert.equal((await spawned(SALLYCTL, ['agents', ...data])).status, 69)
    const after = await spawned(SALLYCTL, ['verdicts', ...data])
    assert.deepEqual([after.status, after.out], [0, `${records.join('\n')}\n`], 'the same from the files')
  }))

test('[CLI-04] up for a person prints lines to paste; SIGINT ends it with 0', async () =>
  withUp([], async ({ child, first, ended, dir }) => {
    await first()
    assert.equal(statSync(join(dir, 'data', 'admin.sock')).mode & 0o777, 0o600)
    child.kill('SIGINT')
    const { status, out, err } = await ended
    assert.equal(status, 0)
    assert.match(out, new RegExp(`sallyctl agents --data ${join(dir, 'data')}`))
    assert.match(err, /^info {2}draining signal=SIGINT/m)
    assert.equal(err.includes('{"'), false, 'no JSON between the lines for a person')
    assert.match(out, /^ {2}export OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/openai\/v1$/m)
    assert.match(out, /^ {2}export OPENAI_API_KEY=sp_vk_/m)
  }))

test('[CLI-04] up marks an agent that its file holds, and says why, in both formats', async () => {
  const held = POLICY.replace('spec: {}', 'spec: { state: Quarantined, reason: looked odd }')
  await withUp(
    ['-o', 'json'],
    async ({ first }) => {
      const [agent] = JSON.parse(await first()).agents
      assert.deepEqual([agent.state, agent.reason], ['Quarantined', 'looked odd'])
    },
    held,
  )
  await withUp(
    [],
    async ({ child, first, ended }) => {
      await first()
      child.kill('SIGTERM')
      assert.match((await ended).out, /^agent default\/marketing {2}Quarantined: looked odd/m)
    },
    held,
  )
})

/** A data folder in which the agent was severed in its second epoch. */
function severed(dataDir: string): void {
  const lives = openLifecycle({ clock: systemClock, log: silentLog }, { dataDir })
  const key = agentKeyOf({ namespace: 'default', name: 'marketing' })
  lives.apply([{ key, state: 'Active', reason: '', releaseThroughEpoch: 0 }])
  lives.sever(key, { code: 'INTENT_SQL_DDL', verdictId: 'v_1' })
  lives.close()
}

test('[CLI-04] a release that does not cover the hold is a warning of up and of agents NAME, in both formats', async () => {
  const low = POLICY.replace('spec: {}', 'spec: { releaseThroughEpoch: 1 }')
  for (const format of ['json', 'table'])
    await withUp(
      ['-o', format],
      async ({ child, first, ended, dir }) => {
        const line = await first()
        if (format === 'json') {
          const { agents, warnings } = JSON.parse(line)
          assert.deepEqual([agents[0].state, warnings.length, warnings[0].code], ['Quarantined', 1, 'RELEASE_TOO_LOW'])
        }
        const told = await spawned(SALLYCTL, ['agents', 'marketing', '-o', format, '--data', join(dir, 'data')])
        assert.match(told.out, /RELEASE_TOO_LOW/)
        child.kill('SIGTERM')
        assert.match((await ended).err, format === 'json' ? /"code":"RELEASE_TOO_LOW"/ : /^warning: RELEASE_TOO_LOW: /m)
      },
      low,
      severed,
    )
})

test('[CLI-04] up without a policy warns that everything is refused, in both formats', async () => {
  await withUp(
    ['-o', 'json'],
    async ({ first }) => assert.equal(JSON.parse(await first()).warnings[0].code, 'DENY_ALL'),
    null,
  )
  await withUp(
    [],
    async ({ child, first, ended }) => {
      await first()
      child.kill('SIGTERM')
      assert.match((await ended).err, /^warning: DENY_ALL: /m)
    },
    null,
  )
})

test('[CLI-05] up with bad policies: each fault as file:line:column on stderr, exit 65, nothing on stdout', async () => {
  const bad = POLICY.replace('role: marketing', 'rol: marketing').replace('kind: Agent\n', 'kind: Agnt\n')
  await withUp(
    ['-o', 'json'],
    async ({ ended }) => {
      const { status, out, err } = await ended
      assert.equal(status, 65)
      assert.equal(out, '')
      const faults = err.split('\n').filter((line) => /marketing\.yaml:\d+:\d+: /.test(line))
      assert.ok(faults.length >= 2, err)
      assert.ok(
        faults.some((line) => line.includes('marketing.yaml:6:3:')),
        err,
      )
    },
    bad,
  )
})

test('[CLI-02] up on a port in use exits 69 and names it', async () =>
  withUp(['-o', 'json'], async ({ first, dir }) => {
    const ready = JSON.parse(await first())
    for (const [flag, url] of [
      ['--port', ready.facade],
      ['--admin-port', ready.admin],
    ]) {
      const { port } = new URL(url)
      const other = { '--port': '0', '--admin-port': '0', [flag]: port }
      const { status, err } = await spawned(SALLYCTL, [
        'up',
        ...Object.entries(other).flat(),
        '--data',
        join(dir, 'other'),
      ])
      assert.equal(status, 69)
      assert.ok(err.includes(port), err)
    }
  }))

test('[CLI-04] an exchange that is open holds the end up; a second signal does not wait for it', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo // listens on TCP
  try {
    await withUp(
      ['-o', 'json', '--upstream', `openai=http://127.0.0.1:${port}/v1`],
      async ({ child, first, ended }) => {
        const ready = JSON.parse(await first())
        const asked = fetch(`${ready.facade}/openai/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${ready.agents[0].token}` },
          body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }),
        }).catch(() => null)
        await once(silent, 'connection')
        child.kill('SIGTERM')
        assert.equal(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500, 'open'))]), 'open')
        child.kill('SIGTERM')
        assert.equal((await ended).status, 143)
        assert.equal(await asked, null)
      },
    )
  } finally {
    for (const socket of sockets) socket.destroy()
    silent.close()
  }
})
