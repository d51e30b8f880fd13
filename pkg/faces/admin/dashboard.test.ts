import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, type Bench, codeOf, open, over, tcp, until, withAdmin } from './admin.fixture.ts'

const json = { 'content-type': 'application/json' }

/** Over TCP without a token. */
const bare = (bench: Bench, path: string, headers: Record<string, string> = {}) => ({
  host: '127.0.0.1',
  port: bench.port,
  path,
  headers,
})
const post = (options: object) => ({ ...options, method: 'POST' })

async function codeFrom(bench: Bench): Promise<string> {
  const given = await ask(over(bench, '/v1/dashboard/codes', { method: 'POST', headers: json }), '{}')
  assert.equal(given.status, 200, given.text)
  const { url, expiresInSeconds } = given.json<{ url: string; expiresInSeconds: number }>()
  assert.equal(expiresInSeconds, 60)
  assert.ok(url.startsWith(`${bench.admin.url}/dashboard/#code=`), url)
  return url.slice(url.indexOf('=') + 1)
}

async function sessionFrom(bench: Bench): Promise<string> {
  const body = JSON.stringify({ code: await codeFrom(bench) })
  const opened = await ask(post(bare(bench, '/v1/dashboard/sessions', json)), body)
  assert.equal(opened.status, 200, opened.text)
  return opened.json<{ token: string }>().token
}

test('[DASH-01] a code comes over the socket alone, and opens a session that asks what the admin token asks', () =>
  withAdmin(async (bench) => {
    const overTcp = await ask(post(tcp(bench, '/v1/dashboard/codes', json)), '{}')
    assert.deepEqual([overTcp.status, codeOf(overTcp)], [403, 'ADMIN_FORBIDDEN'])
    assert.equal((await ask(post(bare(bench, '/v1/dashboard/codes', json)), '{}')).status, 401)
    const token = await sessionFrom(bench)
    const authorization = `Bearer ${token}`
    for (const path of ['/v1/agents', '/healthz', '/v1/agents/growth/marketing'])
      assert.equal((await ask(bare(bench, path, { authorization }))).status, 200, path)
    assert.equal((await ask(bare(bench, '/v1/agents', { authorization: `${authorization}x` }))).status, 401)
    assert.equal((await ask(post(bare(bench, '/v1/dashboard/codes', { ...json, authorization })), '{}')).status, 403)
    const shown = await ask(bare(bench, '/v1/agents', { authorization }))
    assert.equal(shown.text.includes('sp_vk_'), false, "an agent's token is not shown over TCP")
  }))

test('[DASH-01] a move of a session is on record as by "dashboard"', () =>
  withAdmin(async (bench) => {
    const headers = { ...json, authorization: `Bearer ${await sessionFrom(bench)}` }
    const path = '/v1/agents/growth/marketing/quarantine'
    assert.equal((await ask(post(bare(bench, path, headers)), '{"reason":"x"}')).status, 200)
    assert.equal((await ask(post(tcp(bench, path, json)), '{"reason":"x"}')).status, 200)
    assert.equal((await ask(over(bench, path, { method: 'POST', headers: json }), '{"reason":"x"}')).status, 200)
    assert.deepEqual(
      bench.source.moves.map(({ ask: { by } }) => by.replace(/\d+/, 'N')),
      ['dashboard', 'token', 'socket:uid=N'],
    )
  }))

test('[DASH-01] what is no code is a fault, and a page of another origin cannot even try one', () =>
  withAdmin(async (bench) => {
    const sessions = bare(bench, '/v1/dashboard/sessions', json)
    for (const body of ['{}', '[]', '{"code":1}', '{"code":""}', '{"code":"a b"}', '{"code":"x","more":1}', 'null'])
      assert.equal(codeOf(await ask(post(sessions), body)), 'USAGE', body)
    const code = JSON.stringify({ code: await codeFrom(bench) })
    const simple = { 'content-type': 'text/plain' } // what a form of another page may send without being asked
    assert.equal((await ask(post({ ...sessions, headers: simple }), code)).status, 400)
    assert.equal((await ask(post({ ...sessions, headers: { ...json, host: 'evil.example' } }), code)).status, 400)
    const preflight = await ask({ ...sessions, method: 'OPTIONS', headers: { origin: 'http://evil.example' } })
    assert.equal(preflight.status, 405)
    assert.equal(preflight.headers['access-control-allow-origin'], undefined)
    assert.equal((await ask(post(sessions), code)).status, 200, 'and none of them has spent it')
    assert.equal(codeOf(await ask(post(sessions), code)), 'ADMIN_UNAUTHORIZED')
  }))

test('[DASH-01] a session is new with each start of the process', async () => {
  let token = ''
  await withAdmin(async (bench) => {
    token = await sessionFrom(bench)
  })
  await withAdmin(async (bench) => {
    assert.equal((await ask(bare(bench, '/v1/agents', { authorization: `Bearer ${token}` }))).status, 401)
  })
})

const FILES = { 'index.html': 'text/html', 'app.js': 'text/javascript', 'app.css': 'text/css', 'icon.svg': 'image/svg' }

test('[DASH-03] the files of the page need no token, and come with rules under which no text can become a script', async () => {
  const dashboardDir = mkdtempSync(join(tmpdir(), 'sp-page-'))
  for (const name of Object.keys(FILES)) writeFileSync(join(dashboardDir, name), `of ${name}`)
  writeFileSync(join(dashboardDir, 'inputs.txt'), 'not served')
  try {
    await withAdmin(
      async (bench) => {
        for (const [name, type] of Object.entries(FILES)) {
          const path = `/dashboard/${name === 'index.html' ? '' : name}`
          const { status, text, headers } = await ask(bare(bench, path))
          assert.deepEqual([status, text], [200, `of ${name}`])
          assert.ok(headers['content-type']?.startsWith(type), name)
          assert.equal(
            headers['content-security-policy'],
            "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html",
          )
          assert.deepEqual(
            [
              'x-content-type-options',
              'referrer-policy',
              'cross-origin-opener-policy',
              'cross-origin-resource-policy',
              'cache-control',
              'set-cookie',
            ].map((header) => headers[header]),
            ['nosniff', 'no-referrer', 'same-origin', 'same-origin', 'no-store', undefined],
          )
        }
        const page = await ask(bare(bench, '/dashboard/'))
        for (const path of ['/dashboard', '/']) {
          const moved = await ask(bare(bench, path))
          assert.deepEqual([moved.status, moved.headers.location, moved.text], [308, '/dashboard/', ''], path)
          assert.equal(moved.headers['content-security-policy'], page.headers['content-security-policy'])
          assert.equal((await ask(bare(bench, path, { host: 'evil.example' }))).status, 400, path)
          assert.equal((await ask(post(bare(bench, path)))).status, 405, path)
        }
        for (const path of [
          '/dashboard/inputs.txt',
          '/dashboard/../v1/agents',
          '/dashboard/%2e%2e/x',
          '/dashboard/index.html',
        ])
          assert.equal((await ask(bare(bench, path))).status, 404, path)
        assert.equal((await ask(bare(bench, '/dashboard/', { host: 'evil.example' }))).status, 400)
        assert.equal((await ask(post(bare(bench, '/dashboard/')))).status, 405)
      },
      { dashboardDir },
    )
  } finally {
    rmSync(dashboardDir, { recursive: true })
  }
})

test('[DASH-03] a page that is not made says what to do', () =>
  withAdmin(
    async (bench) => {
      const answer = await ask(bare(bench, '/dashboard/'))
      assert.deepEqual([answer.status, codeOf(answer)], [503, 'STATE_UNAVAILABLE'])
      assert.match(answer.text, /make setup/)
    },
    { dashboardDir: '/nonexistent/page' },
  ))

test('[DASH-06] the stream of events goes on from the id that the reader had', () =>
  withAdmin(async (bench) => {
    const { recordOf } = await import('../../../test/fixtures/admin-source.ts')
    for (let number = 1; number <= 3; number += 1) bench.source.append(recordOf(number))
    const authorization = `Bearer ${await sessionFrom(bench)}`
    const stream = await open(bare(bench, '/v1/events?limit=10', { authorization, 'last-event-id': 'v_000001' }))
    assert.equal(stream.headers['content-type'], 'text/event-stream')
    let text = ''
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    await until(() => text.includes('id: v_000003'))
    bench.source.append(recordOf(4))
    await until(() => text.includes('id: v_000004'))
    assert.deepEqual(text.match(/^id: .*$/gm), ['id: v_000002', 'id: v_000003', 'id: v_000004'])
    stream.destroy()
  }))
