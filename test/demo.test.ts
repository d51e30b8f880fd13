import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const demo = fileURLToPath(new URL('demo/demo.ts', import.meta.url))

type Played = {
  readonly status: number | null
  readonly out: string
  readonly err: string
  readonly left: readonly string[]
}

/** Plays the demo with a temp folder of its own; `onText` sees what it has printed so far. */
async function play(
  onText: (text: string, stop: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  const child = spawn(process.execPath, [demo], {
    env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    onText(out, (signal) => child.kill(signal))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const status = await new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const left = readdirSync(folder).filter((name) => name.startsWith('sallyport-'))
  rmSync(folder, { recursive: true, force: true })
  return { status, out, err, left }
}

/** Is the `sallyctl up` of that demo gone, or within the moment that its end takes? */
async function isGone(out: string): Promise<boolean> {
  const pid = Number(/pid (\d+)/.exec(out.replace(/\s+/g, ' '))?.[1])
  assert.ok(pid > 1, `no pid in: ${out}`)
  for (let look = 0; look < 100; look += 1) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

test('[DEMO-01] [DEMO-02] the demo holds, reads well off a terminal, and leaves nothing behind', async () => {
  const started = performance.now()
  const { status, out, err, left } = await play()
  assert.equal(status, 0, `${out}\n${err}`)
  assert.ok(performance.now() - started < 120_000)
  for (const scene of ['(a)', '(b)', '(b′)', '(c)', '(d)', '(e)', 'sallyctl verdicts', 'sallyctl audit verify'])
    assert.ok(out.includes(scene), `no scene ${scene}`)
  for (const reason of [
    'INTENT_SQL_DDL',
    'INTENT_SQL_WRITE',
    'IDENTITY_AGENT_QUARANTINED',
    'TOOL_DENIED',
    'EDITED',
    'DELETED',
    'TRUNCATED',
  ])
    assert.ok(out.includes(reason), `no ${reason}`)
  const rounds = out.matchAll(/6 of 6 +(\d) → (\d) +(\w+)… → (\w+)… +\+\d+ ms +420 stand/g)
  assert.deepEqual(
    [...rounds].map(([, from, to, before, after]) => [Number(to) - Number(from), before !== after]),
    [1, 2, 3, 4, 5].map(() => [1, true]),
  )
  for (const line of out.split('\n')) assert.ok([...line].length <= 80, `${[...line].length} columns: ${line}`)
  assert.ok(!out.includes('\x1b'), 'colours off a terminal')
  assert.ok(!out.includes('sp_vk_'), 'a token was printed')
  assert.deepEqual(left, [])
  assert.ok(await isGone(out))
})

test('[DEMO-02] a demo that is interrupted says so, exits 1, and leaves nothing behind', async () => {
  let sent = false
  const { status, out, err, left } = await play((text, stop) => {
    if (sent || !text.includes('(b)')) return
    sent = true
    stop('SIGINT')
  })
  assert.equal(status, 1)
  assert.match(err, /stopped by SIGINT/)
  assert.deepEqual(left, [])
  assert.ok(await isGone(out))
})
