import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isErrorCode } from '#pkg/model/errors'
import { newManualClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { newSourceDouble } from '../../../test/fixtures/admin-source.ts'
import { ask, codeOf, over, tcp, withAdmin } from './admin.fixture.ts'
import { startAdmin } from './index.ts'

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
