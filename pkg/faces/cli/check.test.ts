import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, withProcess } from '../../../test/fixtures/run-cli.ts'
import { checkClock } from './check-network.ts'
import { checkNode } from './check-place.ts'
import type { Checked } from './checked.ts'
import { good } from './checked.ts'

type Answer = { readonly ok: boolean; readonly checks: readonly Checked[] }

async function check(
  words: readonly string[],
  vars: Readonly<Record<string, string>> = {},
): Promise<Answer & { status: number; out: string }> {
  const { status, out, err } = await run(['check', '--port', '0', '--admin-port', '0', '-o', 'json', ...words], {
    vars,
  })
  assert.ok(out.startsWith('{'), err)
  return { status, out, ...(JSON.parse(out) as Answer) } // what cli.md says
}

function withFolder<T>(body: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-check-'))
  return body(dir).finally(() => rmSync(dir, { recursive: true }))
}

function faultsOf({ checks }: Answer): readonly string[] {
  const faults = checks.filter((one) => one.ok === false)
  for (const { fix, doc } of faults)
    assert.ok(fix !== null && doc !== null, 'each fault has a fix and a place to read more')
  return faults.map(({ name }) => name)
}

test('[CLI-16] an empty machine is fine', () =>
  withFolder(async (dir) => {
    const answer = await check(['--data', join(dir, 'data'), '--offline'])
    assert.deepEqual([answer.status, answer.ok, faultsOf(answer)], [0, true, []])
    const text = await run(['check', '--port', '0', '--admin-port', '0', '--data', join(dir, 'data'), '--offline'])
    assert.match(text.out, /^✓ node: /m)
    assert.match(text.out, /^- clock: /m)
  }))

test('[CLI-16] what stands in the way is named: a loose file, a broken policy, a folder that is none, a port in use', () =>
  withFolder(async (dir) => {
    const data = join(dir, 'data')
    mkdirSync(join(data, 'policies'), { recursive: true })
    chmodSync(data, 0o700)
    writeFileSync(join(data, 'policies', 'a.yaml'), 'kind: Nonsense\n')
    writeFileSync(join(data, 'tokens'), '', { mode: 0o644 })
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo // listens on TCP
    try {
      const answer = await check(['--data', data, '--offline', '--port', String(port)])
      assert.deepEqual([answer.status, answer.ok], [1, false])
      assert.deepEqual(faultsOf(answer), ['data folder', 'policies', 'port'])
      writeFileSync(join(dir, 'file'), '')
      assert.deepEqual(faultsOf(await check(['--data', join(dir, 'file'), '--offline'])).slice(0, 1), ['data folder'])
      assert.deepEqual(faultsOf(await check(['--data', data, '--policies', join(dir, 'none'), '--offline'])), [
        'data folder',
        'policies',
      ])
    } finally {
      server.close()
    }
  }))

test('[CLI-16] providers are asked without a key, any answer will do, and their clock is compared with ours', async () => {
  const seen: IncomingMessage[] = []
  let date = new Date()
  const server = createServer((request, response) => {
    seen.push(request)
    response.writeHead(404, { date: date.toUTCString() }).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listens on TCP
  const upstreams = ['openai', 'anthropic', 'gemini'].flatMap((name) => ['--upstream', `${name}=${url}/v1`])
  try {
    const vars = { OPENAI_API_KEY: 'sk-canary', ANTHROPIC_API_KEY: 'sk-canary', GEMINI_API_KEY: 'sk-canary' }
    const answer = await check(['--data', '/nonexistent/data', ...upstreams], vars)
    assert.equal(answer.checks.filter((one) => one.name.startsWith('provider') && one.ok).length, 3)
    assert.equal(answer.checks.at(-1)?.ok, true)
    assert.equal(answer.out.includes('canary'), false)
    for (const request of seen) {
      assert.deepEqual([request.method, request.url], ['HEAD', '/'])
      assert.equal(JSON.stringify(request.rawHeaders).includes('canary'), false)
    }
    date = new Date(Date.now() + 600_000)
    assert.ok(faultsOf(await check(['--data', '/nonexistent/data', ...upstreams])).includes('clock'))
  } finally {
    server.close()
  }
  const dead = ['openai', 'anthropic', 'gemini'].flatMap((name) => ['--upstream', `${name}=${url}`])
  const names = faultsOf(await check(['--data', '/nonexistent/data', ...dead])).filter((name) =>
    name.startsWith('provider'),
  )
  assert.equal(names.length, 3)
})

test('[CLI-16] a process that runs is found, and its version compared', () =>
  withProcess(async ({ at }) => {
    const answer = await check([...at, '--offline'])
    assert.deepEqual(
      answer.checks.filter((one) => one.name === 'process').map((one) => one.ok),
      [true],
    )
    const other = await run(['check', ...at, '--offline', '-o', 'json'], { version: '9.9.9' })
    assert.deepEqual([other.status, faultsOf(JSON.parse(other.out))[0]], [1, 'process'])
  }))

test('[CLI-16] the bounds of Node and of the clock', () => {
  for (const [version, ok] of [
    ['24.12.0', true],
    ['24.11.9', false],
    ['20.20.2', false],
    ['26.0.0', true],
  ] as const)
    assert.equal(checkNode(version).ok, ok, version)
  for (const [offsetMs, ok] of [
    [60_000, true],
    [60_001, false],
    [-60_001, false],
    [null, null],
  ] as const)
    assert.equal(checkClock([{ checked: good('x', ''), offsetMs }]).ok, ok, String(offsetMs))
})
