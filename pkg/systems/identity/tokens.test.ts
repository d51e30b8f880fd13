import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf } from '#pkg/model'
import { isErrorCode, SallyportError } from '#pkg/model/errors'
import { newLog } from '#pkg/platform/log'
import { openTokens, type Tokens } from './index.ts'

const marketing = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const research = agentKeyOf({ namespace: 'growth', name: 'research' })

async function inFolder(body: (dataDir: string, lines: string[]) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-identity-'))
  try {
    await body(dataDir, [])
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

function open(dataDir: string, lines: string[] = []): Tokens {
  return openTokens({ random: randomBytes, log: newLog({ write: (line) => lines.push(line) }) }, { dataDir })
}

test('[TOK-01] each agent has a token of its own, sp_vk_ and 40 characters, the same after a restart', () =>
  inFolder(async (dataDir) => {
    const tokens = open(dataDir)
    assert.equal(tokens.tokenOf(marketing), null)
    tokens.ensure([marketing, research])
    const token = tokens.tokenOf(marketing) ?? ''
    assert.match(token, /^sp_vk_[A-Za-z0-9]{40}$/)
    assert.notEqual(token, tokens.tokenOf(research))
    assert.equal(tokens.find(token), marketing)
    const again = open(dataDir)
    assert.equal(again.find(token), null, 'nobody is known before the folder is read')
    again.ensure([research, marketing])
    assert.equal(again.find(token), marketing)
  }))

test('[TOK-02] no text but a whole token finds an agent', () =>
  inFolder(async (dataDir) => {
    const tokens = open(dataDir)
    tokens.ensure([marketing])
    const token = tokens.tokenOf(marketing) ?? ''
    for (const text of [
      '',
      'sp_vk_',
      token.slice(0, -1),
      `${token}A`,
      ` ${token}`,
      token.toLowerCase(),
      'growth/marketing',
      'x'.repeat(1_000_000),
      '__proto__',
    ])
      assert.equal(tokens.find(text), null)
  }))

test('[TOK-03] the token of an agent that is gone opens nothing, and is the same when it comes back', () =>
  inFolder(async (dataDir) => {
    const tokens = open(dataDir)
    tokens.ensure([marketing, research])
    const token = tokens.tokenOf(marketing) ?? ''
    tokens.ensure([research])
    assert.equal(tokens.find(token), null)
    assert.equal(tokens.tokenOf(marketing), null)
    const again = open(dataDir)
    again.ensure([research])
    assert.equal(again.find(token), null)
    again.ensure([research, marketing])
    assert.equal(again.find(token), marketing)
  }))

test('[TOK-04] the file is for its owner alone; looser bits are tightened with a warning that holds no token', () =>
  inFolder(async (dataDir, lines) => {
    const inner = join(dataDir, 'a', 'b')
    open(inner).ensure([marketing])
    assert.equal((await stat(join(inner, 'tokens'))).mode & 0o777, 0o600)
    assert.equal((await stat(inner)).mode & 0o777, 0o700)
    assert.deepEqual(await readdir(inner), ['tokens'])
    await chmod(join(inner, 'tokens'), 0o644)
    const tokens = open(inner, lines)
    tokens.ensure([marketing])
    assert.equal((await stat(join(inner, 'tokens'))).mode & 0o777, 0o600)
    assert.equal(lines.filter((line) => line.includes('"tokens-mode-tightened"')).length, 1)
    assert.ok(!lines.join().includes('sp_vk_'))
  }))

const good = `growth/marketing sp_vk_${'A'.repeat(40)}`
const broken: readonly { readonly name: string; readonly text: string; readonly line: number }[] = [
  { name: 'an empty file', text: '', line: 1 },
  { name: 'another version', text: `# sallyport tokens 2\n${good}\n`, line: 1 },
  { name: 'a last line without its end', text: `# sallyport tokens 1: namespace/name token\n${good}`, line: 1 },
  { name: 'a short token', text: `# sallyport tokens 1: namespace/name token\ngrowth/marketing sp_vk_AAAA\n`, line: 2 },
  { name: 'no agent', text: `# sallyport tokens 1: namespace/name token\n${good}\nsp_vk_${'B'.repeat(40)}\n`, line: 3 },
  {
    name: 'an agent twice',
    text: `# sallyport tokens 1: namespace/name token\n${good}\n${good.replaceAll('A', 'B')}\n`,
    line: 3,
  },
  {
    name: 'a token twice',
    text: `# sallyport tokens 1: namespace/name token\n${good}\n${good.replace('marketing', 'other')}\n`,
    line: 3,
  },
]

for (const row of broken)
  test(`[TOK-05] a file that cannot be understood is refused by line, without a token in the error: ${row.name}`, () =>
    inFolder(async (dataDir) => {
      await writeFile(join(dataDir, 'tokens'), row.text)
      assert.throws(
        () => open(dataDir),
        (error) =>
          error instanceof SallyportError &&
          error.code === 'STATE_UNAVAILABLE' &&
          error.fields['line'] === row.line &&
          !error.message.includes('AAAA') &&
          !error.message.includes('BBBB'),
      )
    }))

test('[TOK-06] when the file cannot be written, old agents keep their tokens, gone ones lose them, new ones get none', () =>
  inFolder(async (dataDir) => {
    const tokens = open(dataDir)
    tokens.ensure([marketing, research])
    const token = tokens.tokenOf(research) ?? ''
    const before = await readFile(join(dataDir, 'tokens'), 'utf8')
    await mkdir(join(dataDir, 'tokens.new')) // what a full disk is to the draft
    const fresh = agentKeyOf({ namespace: 'growth', name: 'fresh' })
    assert.throws(
      () => tokens.ensure([marketing, fresh]),
      (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
    )
    assert.equal(tokens.find(tokens.tokenOf(marketing) ?? ''), marketing)
    assert.equal(tokens.find(token), null)
    assert.equal(tokens.tokenOf(fresh), null)
    assert.equal(await readFile(join(dataDir, 'tokens'), 'utf8'), before)
    await rm(join(dataDir, 'tokens.new'), { recursive: true })
    tokens.ensure([marketing, fresh])
    assert.equal(tokens.find(tokens.tokenOf(fresh) ?? ''), fresh)
  }))

test('[TOK-07] 5,000 agents get their tokens well below a second, in one file, and nothing is written when none is new', () =>
  inFolder(async (dataDir) => {
    const agents = Array.from({ length: 5_000 }, (_, at) => agentKeyOf({ namespace: 'n', name: `a${at}` }))
    const started = performance.now()
    const tokens = open(dataDir)
    tokens.ensure(agents)
    assert.ok(performance.now() - started < 10_000)
    assert.equal(new Set(agents.map((agent) => tokens.tokenOf(agent))).size, 5_000)
    const before = await stat(join(dataDir, 'tokens'))
    tokens.ensure(agents.slice(1))
    assert.equal((await stat(join(dataDir, 'tokens'))).ino, before.ino)
    const again = open(dataDir)
    again.ensure(agents)
    for (const agent of agents) assert.equal(again.find(tokens.tokenOf(agent) ?? again.tokenOf(agent) ?? ''), agent)
  }))
