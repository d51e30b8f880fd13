import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SallyportError } from '#pkg/model/errors'
import { listenOnUnixSocket, type SocketUse } from './index.ts'

const USE: SocketUse = { name: 'the test socket', option: '--there' }

/** What is at the path → the fault of whoever wants to listen there. */
const FAULTS: readonly (readonly [string, string, RegExp, (path: string) => void, SocketUse?])[] = [
  ['a file', 'SETTINGS_INVALID', /in the way of the test socket.*another --there/, (path) => writeFileSync(path, 'x')],
  ['a folder', 'SETTINGS_INVALID', /it is not a socket/, (path) => mkdirSync(path)],
  ['a listener', 'STATE_UNAVAILABLE', /^another process answers at .*another --there/, listen],
  ['a listener of ours', 'STATE_UNAVAILABLE', /^we run here \(.* answers\)/, listen, { ...USE, taken: 'we run here' }],
]

function listen(path: string): void {
  createServer().listen(path).unref()
}

async function faultAt(path: string, use: SocketUse): Promise<readonly [unknown, string]> {
  const fault: unknown = await listenOnUnixSocket(createServer(), path, use).catch((error: unknown) => error)
  assert.ok(fault instanceof SallyportError)
  return [fault.code, fault.message]
}

for (const [what, code, words, put, use] of FAULTS)
  test(`[ADM-04] ${what} at the path of a socket is ${code}, with what to do`, () =>
    inFolder(async (dir) => {
      const path = join(dir, 'a.sock')
      put(path)
      const [found, message] = await faultAt(path, use ?? USE)
      assert.equal(found, code)
      assert.match(message, words)
    }))

test('[ADM-04] a path under a file, and one that is too long, are said with what to do', () =>
  inFolder(async (dir) => {
    writeFileSync(join(dir, 'file'), '')
    const [code, message] = await faultAt(join(dir, 'file', 'sub', 'a.sock'), USE)
    assert.equal(code, 'UNREACHABLE')
    assert.match(message, /a file where a folder belongs.*another --there/)
    const [long, words] = await faultAt(join(dir, 'x'.repeat(120)), USE)
    assert.equal(long, 'SETTINGS_INVALID')
    assert.match(words, /the limit is 103.*a shorter --there/)
  }))

test('[ADM-03] the folder is made for its owner, and the socket is 0600', () =>
  inFolder(async (dir) => {
    const path = join(dir, 'new', 'a.sock')
    const server = createServer()
    await listenOnUnixSocket(server, path, USE)
    try {
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.equal(statSync(join(dir, 'new')).mode & 0o777, 0o700)
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  }))

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-socket-'))
  try {
    await work(dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
}
