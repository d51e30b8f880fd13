import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, STEERING, withProcess } from '../../../test/fixtures/run-cli.ts'

const usage: readonly (readonly string[])[] = [
  [],
  ['agnets'],
  ['policy'],
  ['policy', 'chek', 'x'],
  ['policy', 'check'],
  ['policy', 'effective'],
  ['policy', 'explain'],
  ['policy', 'explain', 'a', 'b', 'c'],
  ['agents', 'a', 'b'],
  ['agents', '--all'],
  ['agents', 'UPPER'],
  ['agents', 'a/b/c'],
  ['-o', 'xml', 'version'],
  ['completion'],
  ['verdicts', '--agent', '../x'],
  ['--address', 'http://example.com', 'agents'],
  ['--address', 'ftp://127.0.0.1', 'agents'],
  ['up', 'now'],
  ['up', '--port', 'eighty'],
  ['up', '--limit', 'bytes=1'],
  ['up', '-o', 'yaml'],
  ['up', '--upstream', 'openai'],
]

for (const words of usage)
  test(`[CLI-02] usage: "${words.join(' ')}" exits 64 and says why on stderr`, async () => {
    const { status, out, err } = await run(words)
    assert.equal(status, 64)
    assert.equal(out, '')
    assert.notEqual(err, '')
  })

test('[CLI-02] help and version are answers: stdout, 0', async () => {
  for (const words of [
    ['--help'],
    ['agents', '--help'],
    ['help', 'policy'],
    ['--version'],
    ['version'],
    ['version', '-o', 'yaml'],
  ]) {
    const { status, out, err } = await run(words)
    assert.deepEqual([status, err, out === ''], [0, '', false], words.join(' '))
  }
})

test('[CLI-02] each faulty setting is a line of its own with its code', async () => {
  const { status, err } = await run(['up', '--port', 'eighty', '--admin-port', 'x', '--limit', 'bytes=1'])
  assert.equal(status, 64)
  const lines = err.split('\n').slice(0, -1)
  assert.equal(lines.length, 3)
  for (const line of lines) assert.match(line, /^sallyctl: SETTINGS_INVALID: --/)
})

test('[CLI-02] version and --version say the same', async () => {
  assert.equal((await run(['--version'])).out, (await run(['version'])).out)
})

test('[CLI-06] without a process the verbs exit 69 and say how to start or find one', async () => {
  const nowhere = ['--data', join(tmpdir(), 'sp-cli-nowhere')]
  for (const words of [['agents'], ['verdicts'], ['policy', 'effective', 'marketing'], ['policy', 'explain', 'v_1']]) {
    const { status, err } = await run([...words, ...nowhere])
    assert.equal(status, 69)
    assert.match(err, /sallyctl up --policies/)
    assert.match(err, /--data/)
  }
  assert.equal((await run(['agents', '--address', 'http://127.0.0.1:1'])).status, 69)
})

test('[CLI-06] --address asks with SALLYPORT_ADMIN_TOKEN; a missing or wrong one is 77 and never printed', async () =>
  withProcess(async ({ admin }) => {
    const words = ['agents', '-o', 'json', '--address', admin.url]
    const good = await run(words, { vars: { SALLYPORT_ADMIN_TOKEN: admin.token } })
    assert.equal(good.status, 0, good.err)
    assert.equal(JSON.parse(good.out)[0].token, undefined, 'tokens of agents stay on the socket')
    for (const vars of [{}, { SALLYPORT_ADMIN_TOKEN: 'sp_adm_wrong' }]) {
      const bad = await run(words, { vars })
      assert.equal(bad.status, 77)
      assert.match(bad.err, /set SALLYPORT_ADMIN_TOKEN/)
      assert.doesNotMatch(bad.err, /Bearer/)
      assert.equal(bad.err.includes('sp_adm_wrong'), false)
    }
  }))

test('[CLI-06] an address of this machine without its http:// is shown with it', async () => {
  for (const address of ['127.0.0.1:17446', 'localhost:17446']) {
    const { status, err } = await run(['agents', '--address', address])
    assert.equal(status, 64)
    assert.ok(err.includes(`write http://${address}`), err)
  }
})

test('[CLI-06] something else that answers there is not believed', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/v1/agents') response.end('<html>\u001b[2J')
    else response.writeHead(500).end('{"error":{"code":"\u009b0m","message":"x"}}')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listens on TCP
  try {
    for (const words of [['agents'], ['agents', 'x'], ['verdicts']]) {
      const { status, err } = await run([...words, '--address', address])
      assert.equal(status, 69)
      assert.equal(STEERING.test(err.replaceAll('\n', '')), false)
    }
  } finally {
    server.close()
  }
})
