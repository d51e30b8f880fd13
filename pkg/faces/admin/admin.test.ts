import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Snapshot } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { newManualClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { MARKETING, newSourceDouble, recordOf, type SourceDouble } from '../../../test/fixtures/admin-source.ts'
import { type Admin, type AdminOptions, type AgentStatus, startAdmin } from './index.ts'

type Bench = {
  readonly admin: Admin
  readonly source: SourceDouble
  readonly socketPath: string
  readonly port: number
}

async function withAdmin(body: (bench: Bench) => Promise<void>, options: Partial<AdminOptions> = {}): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-adm-'))
  const socketPath = join(dir, 'admin.sock')
  const source = newSourceDouble()
  const deps = { source, clock: newManualClock(Date.UTC(2026, 0, 2)), log: silentLog, random: randomBytes }
  const admin = await startAdmin(deps, { port: 0, socketPath, version: '1.2.3', ...options })
  try {
    await body({ admin, source, socketPath, port: Number(new URL(admin.url).port) })
  } finally {
    await admin.close()
    rmSync(dir, { recursive: true })
  }
}

type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Parsed; what it should be is what the test asserts. */
  readonly json: <T = Readonly<Record<string, unknown>>>() => T
}

async function ask(options: RequestOptions, body?: string): Promise<Answer> {
  const answer = await open(options, body)
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) }
}

function open(options: RequestOptions, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent: false, ...options }, resolve)
    request.on('error', reject)
    request.end(body)
  })
}

const over = (bench: Bench, path: string, more: RequestOptions = {}): RequestOptions => ({
  socketPath: bench.socketPath,
  path,
  ...more,
})
const tcp = (bench: Bench, path: string, headers: Record<string, string> = {}): RequestOptions => ({
  host: '127.0.0.1',
  port: bench.port,
  path,
  headers: { authorization: `Bearer ${bench.admin.token}`, ...headers },
})

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 3_000
  while (!condition()) {
    if (performance.now() > end) assert.fail('not true within 3,000 ms')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const codeOf = (answer: Answer): string => answer.json<{ error: { code: string } }>().error.code

test('[ADM-01] TCP wants the bearer token of this start; every other request is 401 in the one error shape', async () =>
  withAdmin(async (bench) => {
    assert.equal((await ask(tcp(bench, '/v1/agents'))).status, 200)
    const rows: readonly (string | undefined)[] = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Basic ${bench.admin.token}`,
      `Bearer ${bench.admin.token}x`,
      `Bearer ${bench.admin.token.slice(0, -1)}`,
      `Bearer ${bench.admin.token} x`,
      'Bearer sp_vk_double',
    ]
    for (const authorization of rows) {
      const headers = authorization === undefined ? {} : { authorization }
      for (const path of ['/v1/agents', '/healthz', '/nowhere']) {
        const answer = await ask({ host: '127.0.0.1', port: bench.port, path, headers })
        assert.equal(answer.status, 401, `${authorization} ${path}`)
        assert.equal(codeOf(answer), 'ADMIN_UNAUTHORIZED')
        assert.equal(answer.headers['www-authenticate'], 'Bearer')
        assert.equal(answer.text.includes(bench.admin.token), false)
      }
    }
  }))

test('[ADM-01] the token is new at every start and long enough that nobody guesses it', async () => {
  const seen = new Set<string>()
  for (let round = 0; round < 3; round += 1)
    await withAdmin(async ({ admin }) => {
      assert.match(admin.token, /^sp_adm_[A-Za-z0-9_-]{43}$/)
      seen.add(admin.token)
    })
  assert.equal(seen.size, 3)
})

test('[ADM-02] a Host that is not this listener is refused, even with the token: a web page cannot ask', async () =>
  withAdmin(async (bench) => {
    for (const host of [`127.0.0.1:${bench.port}`, `localhost:${bench.port}`, `LOCALHOST:${bench.port}`])
      assert.equal((await ask(tcp(bench, '/v1/version', { host }))).status, 200, host)
    for (const host of [
      'evil.example',
      `evil.example:${bench.port}`,
      '127.0.0.1',
      `127.0.0.1:${bench.port + 1}`,
      `127.0.0.1:${bench.port}.evil.example`,
    ]) {
      const answer = await ask(tcp(bench, '/v1/version', { host }))
      assert.equal(answer.status, 400, host)
      assert.equal(codeOf(answer), 'USAGE')
    }
  }))

test('[ADM-02] no answer allows another origin to read it', async () =>
  withAdmin(async (bench) => {
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await ask({ ...tcp(bench, '/v1/agents', { origin: 'https://evil.example' }), method })
      assert.deepEqual(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
        [],
      )
    }
  }))

test('[ADM-03] the Unix socket is 0600, whatever the umask, and needs no token', async () => {
  const umask = process.umask(0)
  try {
    await withAdmin(async (bench) => {
      assert.equal(statSync(bench.socketPath).mode & 0o777, 0o600)
      assert.equal(process.umask(), 0)
      assert.equal((await ask(over(bench, '/v1/agents'))).status, 200)
    })
  } finally {
    process.umask(umask)
  }
})

test('[ADM-03] an agent token is shown over the Unix socket and never over TCP', async () =>
  withAdmin(async (bench) => {
    for (const path of ['/v1/agents', '/v1/agents/growth/marketing']) {
      assert.equal((await ask(over(bench, path))).text.includes('"token":"sp_vk_double"'), true)
      assert.equal((await ask(tcp(bench, path))).text.includes('sp_vk_'), false)
    }
  }))

test('[ADM-04] a socket that a dead process left is replaced; a live one and another file are refused', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sp-adm-'))
  const socketPath = join(dir, 'admin.sock')
  const deps = { source: newSourceDouble(), clock: newManualClock(), log: silentLog, random: randomBytes }
  const options = { port: 0, socketPath, version: '0' }
  try {
    const dead = createServer().listen(join(dir, 'other'))
    await new Promise((resolve) => dead.once('listening', resolve))
    linkSync(join(dir, 'other'), socketPath) // a name that stays when its process closes
    await new Promise((resolve) => dead.close(resolve))
    assert.equal(existsSync(socketPath), true)
    const admin = await startAdmin(deps, options)
    await assert.rejects(startAdmin(deps, options), (error) => isErrorCode(error, 'STATE_UNAVAILABLE'))
    assert.equal((await ask({ socketPath, path: '/healthz' })).status, 200, 'the first one still answers')
    await admin.close()
    assert.equal(existsSync(socketPath), false)
    writeFileSync(socketPath, 'precious')
    await assert.rejects(startAdmin(deps, options), (error) => isErrorCode(error, 'SETTINGS_INVALID'))
    assert.equal(statSync(socketPath).size, 8)
    chmodSync(socketPath, 0o600)
    const long = { ...options, socketPath: join(dir, 'x'.repeat(120), 'admin.sock') }
    await assert.rejects(startAdmin(deps, long), (error) => isErrorCode(error, 'SETTINGS_INVALID'))
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('[ADM-04] a port in use is UNREACHABLE by name, and the socket is given back', async () =>
  withAdmin(async (bench) => {
    const dir = mkdtempSync(join(tmpdir(), 'sp-adm-'))
    const socketPath = join(dir, 'admin.sock')
    const deps = { source: bench.source, clock: newManualClock(), log: silentLog, random: randomBytes }
    try {
      await assert.rejects(startAdmin(deps, { port: bench.port, socketPath, version: '0' }), (error) => {
        assert.ok(isErrorCode(error, 'UNREACHABLE'))
        return String(error).includes(String(bench.port))
      })
      assert.equal(existsSync(socketPath), false)
    } finally {
      rmSync(dir, { recursive: true })
    }
  }))

const faults: readonly {
  readonly name: string
  readonly path: string
  readonly method?: string
  readonly code: string
  readonly status: number
}[] = [
  { name: 'an unknown path', path: '/v2/agents', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'a path with a slash at its end', path: '/v1/agents/', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'dots', path: '/v1/agents/../verdicts', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an escaped segment', path: '/v1/agents/growth/market%69ng', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an unknown agent', path: '/v1/agents/growth/nobody', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'no label', path: '/v1/agents/growth/UPPER', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an unknown policy', path: '/v1/agents/growth/nobody/policy', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an unknown verdict', path: '/v1/verdicts/v_nothing', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'a write to agents', path: '/v1/agents', method: 'POST', code: 'ADMIN_METHOD', status: 405 },
  { name: 'a delete', path: '/v1/agents/growth/marketing', method: 'DELETE', code: 'ADMIN_METHOD', status: 405 },
  { name: 'explain by GET', path: '/v1/explain', code: 'ADMIN_METHOD', status: 405 },
  { name: 'an unknown parameter', path: '/v1/verdicts?agnet=growth/marketing', code: 'USAGE', status: 400 },
  { name: 'a parameter twice', path: '/v1/verdicts?limit=1&limit=2', code: 'USAGE', status: 400 },
  { name: 'a parameter where none is', path: '/v1/agents?all=1', code: 'USAGE', status: 400 },
  { name: 'an agent without namespace', path: '/v1/verdicts?agent=marketing', code: 'USAGE', status: 400 },
  { name: 'a reason that is none', path: '/v1/verdicts?reason=BECAUSE', code: 'USAGE', status: 400 },
  { name: 'a prototype name as reason', path: '/v1/verdicts?reason=constructor', code: 'USAGE', status: 400 },
  { name: 'a day as moment', path: '/v1/verdicts?since=2026-01-01', code: 'USAGE', status: 400 },
  { name: 'limit 0', path: '/v1/verdicts?limit=0', code: 'USAGE', status: 400 },
  { name: 'a limit above the cap', path: '/v1/verdicts?limit=100001', code: 'USAGE', status: 400 },
  { name: 'follow as number', path: '/v1/verdicts?follow=1', code: 'USAGE', status: 400 },
]

test('[ADM-05] what cannot be answered is an error by name, and nothing else', async (t) =>
  withAdmin(async (bench) => {
    for (const row of faults)
      await t.test(row.name, async () => {
        const answer = await ask(over(bench, row.path, { method: row.method ?? 'GET' }))
        assert.equal(answer.status, row.status)
        assert.deepEqual(Object.keys(answer.json()), ['error'])
        assert.equal(codeOf(answer), row.code)
        if (row.status === 405) assert.ok(answer.headers.allow)
      })
  }))

test('[ADM-05] a source that throws is 500 without its message', async () =>
  withAdmin(async (bench) => {
    bench.source.verdicts.find = () => {
      throw new Error('secret /path')
    }
    const answer = await ask(over(bench, '/v1/verdicts/v_1'))
    assert.equal(answer.status, 500)
    assert.equal(codeOf(answer), 'INTERNAL')
    assert.equal(answer.text.includes('secret'), false)
  }))

test('[ADM-06] health, version, agents and policies answer what the plane says', async () =>
  withAdmin(async (bench) => {
    assert.deepEqual((await ask(over(bench, '/v1/version'))).json(), { version: '1.2.3', api: 'v1' })
    const agents = (await ask(over(bench, '/v1/agents'))).json<readonly AgentStatus[]>()
    assert.deepEqual(
      agents.map((agent) => agent.name),
      ['marketing'],
    )
    assert.deepEqual(agents[0]?.acks, { wanted: 1, received: 1 })
    const policy = (await ask(over(bench, '/v1/agents/growth/marketing/policy'))).json<Snapshot>()
    assert.deepEqual(policy.grants[0]?.source, { policy: 'growth/marketing', path: 'tools.allow[0]' })
    assert.deepEqual((await ask(over(bench, '/healthz'))).json(), { ok: true, reasons: [], policyFaults: [] })
    bench.source.well = false
    bench.source.faults = [{ file: 'a.yaml', line: 3, column: 5, message: 'unknown field' }]
    const ill = await ask(over(bench, '/healthz'))
    assert.equal(ill.status, 503)
    assert.deepEqual(ill.json()['policyFaults'], bench.source.faults)
  }))

const FIELDS =
  'id time agent session dialect direction tool action enforced reasons check policy rule us message generation epoch'.split(
    ' ',
  )

test('[ADM-07] verdicts come as lines with the fields of the contract, oldest first, filtered', async () =>
  withAdmin(async (bench) => {
    for (let number = 0; number < 6; number += 1)
      bench.source.append(
        recordOf(number, number % 2 === 0 ? {} : { agent: null, reasons: ['IDENTITY_TOKEN_UNKNOWN'] }),
      )
    const read = async (query: string): Promise<readonly string[]> => {
      const answer = await ask(over(bench, `/v1/verdicts${query}`))
      assert.equal(answer.headers['content-type'], 'application/x-ndjson; charset=utf-8')
      const lines = answer.text.split('\n').slice(0, -1)
      for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)), FIELDS)
      return lines.map((line) => JSON.parse(line).id.slice(-1))
    }
    assert.deepEqual(await read(''), ['0', '1', '2', '3', '4', '5'])
    assert.deepEqual(await read('?agent=growth/marketing'), ['0', '2', '4'])
    assert.deepEqual(await read('?reason=IDENTITY_TOKEN_UNKNOWN&limit=2'), ['3', '5'])
    assert.deepEqual(await read(`?since=${encodeURIComponent('2026-01-01T00:00:04+00:00')}`), ['4', '5'])
    assert.deepEqual(await read('?since=86397s'), ['3', '4', '5'], 'the clock of the process counts')
    assert.deepEqual((await ask(over(bench, '/v1/verdicts/v_000002'))).json(), recordOf(2))
  }))

test('[ADM-08] a follower gets history, then what comes, each once and in order, while records keep coming', async () =>
  withAdmin(async (bench) => {
    for (let number = 0; number < 50; number += 1) bench.source.append(recordOf(number))
    let next = 50
    bench.source.onRead = async () => {
      if (next < 100) bench.source.append(recordOf(next++)) // written while the history is read
      await new Promise((resolve) => setImmediate(resolve))
    }
    const answer = await open(over(bench, '/v1/verdicts?follow=true'))
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => text.split('\n').length > 100)
    for (; next < 120; next += 1) bench.source.append(recordOf(next))
    await until(() => text.split('\n').length > 120)
    const ids = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id)
    assert.deepEqual(
      ids,
      Array.from({ length: 120 }, (_, number) => recordOf(number).id),
    )
    answer.destroy()
    await until(() => bench.source.listeners.size === 0)
  }))

test('[ADM-08] a record that the history holds and that is told again afterwards is sent once', async () =>
  withAdmin(async (bench) => {
    bench.source.records.push(recordOf(1))
    const answer = await open(over(bench, '/v1/verdicts?follow=true'))
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => text !== '')
    for (const listener of bench.source.listeners) for (const number of [1, 2]) listener(recordOf(number))
    await until(() => text.split('\n').length > 2)
    assert.deepEqual(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
      ['v_000001', 'v_000002'],
    )
    answer.destroy()
  }))

test('[ADM-08] a filter holds for what comes too', async () =>
  withAdmin(async (bench) => {
    const answer = await open(over(bench, '/v1/verdicts?follow=true&agent=growth/marketing&reason=INTENT_SQL_DDL'))
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => bench.source.listeners.size === 1)
    bench.source.append(recordOf(1, { agent: null }))
    bench.source.append(recordOf(2, { reasons: [] }))
    bench.source.append(recordOf(3, { agent: MARKETING }))
    await until(() => text !== '')
    assert.deepEqual(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
      ['v_000003'],
    )
    answer.destroy()
  }))

test('[ADM-09] a follower that does not read is bounded, is told that it lost records, and holds nobody up', async () =>
  withAdmin(
    async (bench) => {
      const slow = connect(bench.socketPath)
      slow.write('GET /v1/verdicts?follow=true HTTP/1.1\r\nhost: x\r\n\r\n')
      slow.pause()
      await until(() => bench.source.listeners.size === 1)
      const quick = await open(over(bench, '/v1/verdicts?follow=true'))
      let seen = 0
      quick.on('data', (chunk) => {
        seen += String(chunk).split('\n').length - 1
      })
      await until(() => bench.source.listeners.size === 2)
      const message = 'x'.repeat(2_000)
      for (let number = 0; number < 2_000; number += 1) {
        bench.source.append(recordOf(number, { message }))
        if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await until(() => seen === 2_000)
      let text = ''
      slow.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      slow.resume()
      await until(() => text.includes('OVERLOADED'))
      const numbers = [...text.matchAll(/"id":"v_(\d+)"/g)].map((match) => Number(match[1]))
      assert.ok(numbers.length > 0 && numbers.length < 2_000)
      assert.deepEqual(
        numbers,
        numbers.map((_, at) => at),
        'what came before the end has no gap',
      )
      await until(() => bench.source.listeners.size === 1)
      slow.destroy()
      quick.destroy()
    },
    { followQueueBytes: 64 * 1024 },
  ))

test('[ADM-09] one follower above the cap is OVERLOADED, and a place that is left is free again', async () =>
  withAdmin(
    async (bench) => {
      const path = '/v1/verdicts?follow=true'
      const first = await open(over(bench, path))
      const second = await open(over(bench, path))
      const third = await ask(over(bench, path))
      assert.equal(third.status, 503)
      assert.equal(codeOf(third), 'OVERLOADED')
      first.destroy()
      await until(() => bench.source.listeners.size === 1)
      const fourth = await open(over(bench, path))
      assert.equal(fourth.statusCode, 200)
      for (const one of [second, fourth]) one.destroy()
    },
    { maxFollowers: 2 },
  ))

test('[ADM-09] close sends what waits, ends the followers and gives everything back', async () => {
  let text = ''
  let ended = false
  await withAdmin(async (bench) => {
    const answer = await open(over(bench, '/v1/verdicts?follow=true'))
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    answer.on('end', () => {
      ended = true
    })
    await until(() => bench.source.listeners.size === 1)
    bench.source.append(recordOf(7))
    await bench.admin.close()
    await until(() => ended)
    assert.equal(bench.source.listeners.size, 0)
    assert.equal(JSON.parse(text).id, 'v_000007')
  })
})

const json = { 'content-type': 'application/json' }

test('[ADM-10] explain asks the plane and answers the deciding rule without an id', async () =>
  withAdmin(async (bench) => {
    const post = over(bench, '/v1/explain', { method: 'POST', headers: json })
    const call = { name: 'send_email', arguments: { to: 'a@b.example' } }
    const answer = await ask(post, JSON.stringify({ agent: 'growth/marketing', call }))
    assert.equal(answer.status, 200)
    const { action, reasons, check, id } = answer.json()
    assert.deepEqual(
      { action, reasons, check, id },
      { action: 'Deny', reasons: ['TOOL_NOT_GRANTED'], check: 'grant', id: undefined },
    )
    assert.deepEqual(bench.source.explained, [{ agent: MARKETING, call }])
    assert.equal(bench.source.records.length, 0)
  }))

test('[ADM-10] an explain body of another shape, type or size is refused before the plane hears of it', async () =>
  withAdmin(
    async (bench) => {
      const good = { agent: 'growth/marketing', call: { name: 'x', arguments: {} } }
      const rows: readonly (readonly [string, Record<string, string>, number])[] = [
        ['', json, 400],
        ['{', json, 400],
        ['[]', json, 400],
        [JSON.stringify({ ...good, agent: 7 }), json, 400],
        [JSON.stringify({ ...good, extra: 1 }), json, 400],
        [JSON.stringify({ agent: 'growth/marketing', call: { name: '' } }), json, 400],
        [JSON.stringify({ ...good, agent: '../x' }), json, 400],
        [JSON.stringify({ ...good, agent: 'growth/nobody' }), json, 404],
        [JSON.stringify(good), { 'content-type': 'text/plain' }, 400],
        [JSON.stringify({ ...good, call: { name: 'x'.repeat(5_000) } }), json, 400],
      ]
      for (const [body, headers, status] of rows) {
        const answer = await ask(over(bench, '/v1/explain', { method: 'POST', headers }), body)
        assert.equal(answer.status, status, body.slice(0, 60))
      }
      assert.deepEqual(bench.source.explained, [])
      const exact = JSON.stringify({ ...good, call: { name: 'x', arguments: { pad: '' } } })
      for (const [size, status] of [
        [4_096, 200],
        [4_097, 400],
      ] as const) {
        const body = exact.replace('"pad":""', `"pad":"${'y'.repeat(size - exact.length)}"`)
        assert.equal(
          (await ask(over(bench, '/v1/explain', { method: 'POST', headers: json }), body)).status,
          status,
          `${size}`,
        )
      }
    },
    { maxBodyBytes: 4_096 },
  ))

test('[ADM-10] bytes that are no HTTP get an answer and the door; the next one is served', async () =>
  withAdmin(async (bench) => {
    const socket = connect(bench.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.write('\x16\x03\x01 nonsense\r\n\r\n')
    await new Promise((resolve) => socket.once('close', resolve))
    assert.match(text, /^HTTP\/1\.1 400 /)
    assert.equal((await ask(tcp(bench, '/healthz'))).status, 200)
  }))
