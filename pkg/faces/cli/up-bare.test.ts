import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, SALLYCTL, spawned } from '../../../test/fixtures/run-cli.ts'
import { ensureStarter } from './starter.ts'

function withFolder<T>(body: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-bare-'))
  return body(dir).finally(() => rmSync(dir, { recursive: true }))
}

test('[FIRST-01] the starter is made where there is no folder of policies, and passes policy check', () =>
  withFolder(async (dir) => {
    const starter = ensureStarter(join(dir, 'data'))
    assert.deepEqual(readdirSync(starter.dir).sort(), ['agent.yaml', 'policy.yaml'])
    assert.equal(starter.made.length, 2)
    assert.equal(statSync(starter.dir).mode & 0o777, 0o700)
    const { status, out } = await run(['policy', 'check', starter.dir, '-o', 'json'])
    assert.equal(status, 0, out)
    const { ok, warnings, policies, agents } = JSON.parse(out)
    assert.deepEqual([ok, warnings, policies, agents], [true, [], 1, 1])
  }))

test('[FIRST-01] a folder of policies that is there is never written to', () =>
  withFolder(async (dir) => {
    const policies = join(dir, 'data', 'policies')
    mkdirSync(policies, { recursive: true })
    assert.deepEqual(ensureStarter(join(dir, 'data')), { dir: policies, made: [] }, 'an empty one')
    assert.deepEqual(readdirSync(policies), [])
    writeFileSync(join(policies, 'policy.yaml'), 'mine')
    ensureStarter(join(dir, 'data'))
    assert.deepEqual(
      [readdirSync(policies), readFileSync(join(policies, 'policy.yaml'), 'utf8')],
      [['policy.yaml'], 'mine'],
    )
  }))

test('[FIRST-01] where the folder cannot be made, up says so and exits 69', () =>
  withFolder(async (dir) => {
    writeFileSync(join(dir, 'file'), '')
    const { status, err } = await spawned(SALLYCTL, ['up', '--port', '0', '--data', join(dir, 'file')])
    assert.equal(status, 69)
    assert.match(err, /STATE_UNAVAILABLE/)
    assert.equal(existsSync(join(dir, 'file', 'policies')), false)
  }))

test('[FIRST-01] what was made is said also where the start fails after it: a port is taken', () =>
  withFolder(async (dir) => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    try {
      const { port } = taken.address() as AddressInfo // listens on TCP
      const data = join(dir, 'data')
      const words = ['up', '--simulate', '--data', data, '--port', String(port), '--admin-port', '0']
      const { status, err } = await spawned(SALLYCTL, words)
      assert.equal(status, 69)
      const said = err.split('\n').filter((line) => line.startsWith('made '))
      const files = ['agent.yaml', 'policy.yaml'].map((name) => join(data, 'policies', name))
      assert.deepEqual(
        said,
        [data, ...files].map((path) => `made ${path}`),
      )
    } finally {
      taken.close()
    }
  }))

test('[FIRST-02] up --simulate in an empty home streams tokens through the judge, without a key', () =>
  withFolder(async (home) => {
    const child = spawn(SALLYCTL, ['up', '--simulate', '--port', '0', '--admin-port', '0', '-o', 'json'], {
      env: { PATH: process.env['PATH'] ?? '', HOME: home, OPENAI_API_KEY: 'sk-canary' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      err += chunk
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    try {
      const [line] = await child.stdout.setEncoding('utf8').take(1).toArray()
      const ready = JSON.parse(String(line))
      const [agent] = ready.agents
      assert.deepEqual([agent.namespace, agent.name, ready.warnings], ['default', 'agent', []])
      const asks: readonly (readonly [path: string, headers: Record<string, string>, body: object])[] = [
        ['/openai/v1/chat/completions', { authorization: `Bearer ${agent.token}` }, { model: 'gpt-5', stream: true }],
        [
          '/anthropic/v1/messages',
          { 'x-api-key': agent.token },
          { model: 'claude-sonnet-5', stream: true, max_tokens: 99 },
        ],
      ]
      for (const [path, headers, body] of asks) {
        const answer = await fetch(ready.facade + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
          body: JSON.stringify({ ...body, messages: [{ role: 'user', content: 'a haiku please' }] }),
        })
        const text = await answer.text()
        assert.equal(answer.status, 200, text)
        assert.match(text, /doors/)
      }
    } finally {
      child.kill('SIGTERM')
    }
    assert.equal(await ended, 0)
    const made = err.split('\n').filter((line) => line.includes('"event":"made"'))
    assert.equal(made.length, 3, err)
    const both = await spawned(SALLYCTL, ['up', '--simulate', '--upstream', 'openai=http://127.0.0.1:1/v1'])
    assert.equal(both.status, 64)
  }))
