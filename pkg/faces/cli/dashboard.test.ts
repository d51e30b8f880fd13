import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, withProcess } from '../../../test/fixtures/run-cli.ts'
import { openInBrowser } from './open-browser.ts'

test('[DASH-02] where stdout is a terminal the link is opened, unless somebody wants none or a program reads', () =>
  withProcess(async ({ at, admin }) => {
    const rows: readonly (readonly [words: readonly string[], opens: number])[] = [
      [[], 1],
      [['--no-open'], 0],
      [['-o', 'json'], 0],
      [['-o', 'yaml'], 0],
    ]
    for (const [words, opens] of rows) {
      const opened: string[] = []
      const openInBrowser = async (url: string): Promise<string | null> => {
        opened.push(url)
        return null
      }
      const ran = await run(['dashboard', ...words, ...at], { openInBrowser })
      assert.equal(ran.status, 0, ran.err)
      assert.ok(ran.out.includes(`${admin.url}/dashboard/#code=sp_dc_`), ran.out)
      assert.equal(opened.length, opens, words.join(' '))
      for (const url of opened) assert.equal(`${url}\n`, ran.out)
    }
    assert.equal((await run(['dashboard', ...at])).status, 0, 'in a pipe nothing is opened')
  }))

test('[DASH-02] a browser that cannot be opened is a hint and no fault', () =>
  withProcess(async ({ at }) => {
    const ran = await run(['dashboard', ...at], { openInBrowser: async () => 'xdg-open: ENOENT' })
    assert.equal(ran.status, 0)
    assert.match(ran.err, /no browser could be opened \(xdg-open: ENOENT\): open the address yourself/)
  }))

test('[DASH-02] with --address it is refused, since codes are given over the socket alone', () =>
  withProcess(async ({ admin }) => {
    for (const token of [admin.token, 'wrong', '']) {
      const ran = await run(['dashboard', '--address', admin.url], { vars: { SALLYPORT_ADMIN_TOKEN: token } })
      assert.equal(ran.status, 77)
      assert.match(ran.err, /ADMIN_FORBIDDEN: --address: /)
    }
  }))

test('[DASH-02] the program of the system is given the address as one word, and what becomes of it is told', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sp-open-'))
  const told = join(dir, 'told')
  const path = process.env['PATH']
  const install = (program: string, status: number): void => {
    writeFileSync(join(dir, program), `#!/bin/sh\nprintf %s "$*" > '${told}'\nexit ${status}\n`)
    chmodSync(join(dir, program), 0o755)
  }
  try {
    process.env['PATH'] = dir
    assert.equal(await openInBrowser('http://127.0.0.1:1/#code=x', 'linux'), 'xdg-open: ENOENT')
    install('xdg-open', 3)
    assert.equal(await openInBrowser('http://127.0.0.1:1/#code=x', 'linux'), 'xdg-open ended with 3')
    install('open', 0)
    assert.equal(await openInBrowser('http://127.0.0.1:1/#code=$(id) y', 'darwin'), null)
    assert.ok(existsSync(told))
    assert.equal(readFileSync(told, 'utf8'), 'http://127.0.0.1:1/#code=$(id) y')
  } finally {
    process.env['PATH'] = path
    rmSync(dir, { recursive: true })
  }
})
