/** Identities, the CA and the agents' own route through the real process: verbs, admin API, files. MESH.md §1, CLI.md. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { streamOf, textDeltas } from '../fixtures/chat.ts'
import { type MockHandler, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { DENY } from '../fixtures/policies.ts'
import { type Ran, SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, type Setup, startSallyctl } from '../fixtures/sallyctl.ts'

const run = promisify(execFile)
const plain: MockHandler = (_request, reply) => reply.events([streamOf(textDeltas('hello there'), 'stop')])
const NAME = 'growth/marketing'
const ID = 'spiffe://sallyport.local/ns/growth/agent/marketing'

type World = { readonly running: Running; readonly home: string; ctl(...words: readonly string[]): Promise<Ran> }

async function withProcess(body: (world: World) => Promise<void>, more: Partial<Setup> = {}): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-identity-'))
  const mock = await startMockUpstream(plain)
  const running = await startSallyctl({ policies: { 'a.yaml': DENY }, upstream: `${mock.url}/v1`, ...more })
  try {
    await body({ running, home, ctl: (...words) => spawned(SALLYCTL, [...words, '--data', running.dataDir]) })
  } finally {
    await running.stop('SIGKILL')
    await mock.close()
    rmSync(home, { recursive: true, force: true })
  }
}

async function json<T>(ran: Promise<Ran>): Promise<T> {
  const { status: code, out: stdout, err: stderr } = await ran
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

type Shown = { readonly spiffeId: string; readonly chain: string; readonly epoch: number; readonly slot: string }
type Ca = { readonly slots: readonly { readonly id: string; readonly authority: string; readonly state: string }[] }
const states = ({ slots }: Ca, authority = 'X509'): readonly string[] =>
  slots.filter((slot) => slot.authority === authority).map(({ state }) => state)

test('[IDCLI-01] identity show and verify: the chain verifies, here, offline, and by openssl; another text does not', () =>
  withProcess(async ({ running, home, ctl }) => {
    const shown = await json<Shown>(ctl('identity', 'show', NAME, '-o', 'json'))
    assert.deepEqual([shown.spiffeId, shown.epoch], [ID, 1])
    assert.equal(new X509Certificate(shown.chain).subjectAltName, `URI:${ID}`)
    const chain = join(home, 'chain.pem')
    writeFileSync(chain, shown.chain)
    const found = await json<{ ok: boolean; spiffeId: string }>(ctl('identity', 'verify', chain, '-o', 'json'))
    assert.deepEqual([found.ok, found.spiffeId], [true, ID])
    const response = await fetch(`${running.ready.admin}/v1/bundle`, {
      headers: { authorization: `Bearer ${running.ready.adminToken}` },
    })
    const bundle = join(home, 'bundle.json')
    const document = await response.text()
    writeFileSync(bundle, document)
    await running.stop('SIGKILL')
    const offline = ['identity', 'verify', chain, '--bundle', bundle]
    assert.equal((await ctl(...offline)).status, 0)
    const foreign = await ctl(...offline, '--trust-domain', 'evil.example', '-o', 'json')
    assert.deepEqual(
      [foreign.status, JSON.parse(foreign.out)],
      [1, { ok: false, kind: 'X509Svid', reason: 'TRUST_DOMAIN' }],
    )
    const { keys } = JSON.parse(document) as { keys: { use: string; x5c?: [string] }[] }
    const [root = ''] = keys.flatMap(({ x5c }) => x5c ?? [])
    writeFileSync(join(home, 'root.pem'), new X509Certificate(Buffer.from(root, 'base64')).toString())
    const strict = ['verify', '-x509_strict', '-CAfile', join(home, 'root.pem'), '-untrusted', chain, chain]
    const { stdout } = await run('openssl', strict).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return { stdout: `${chain}: OK\n` } // openssl is a tool of test-interop
      throw error
    })
    assert.equal(stdout, `${chain}: OK\n`)
  }))

const wrong: readonly (readonly [what: string, code: number, words: readonly string[], said: RegExp])[] = [
  ['a file that is not there', 65, ['identity', 'verify', '/nonexistent.pem'], /cannot be read/],
  [
    'a file that is no SVID',
    65,
    ['identity', 'verify', import.meta.filename],
    /neither certificates in PEM nor a JWT-SVID/,
  ],
  [
    'a bundle that is none',
    65,
    ['identity', 'verify', import.meta.filename, '--bundle', import.meta.filename],
    /trust bundle is none/,
  ],
  ['an agent that is not there', 1, ['identity', 'show', 'growth/nobody'], /has no identity/],
  ['no authority', 64, ['ca', 'prepare', '--reason', 'x'], /authority/],
  ['an authority that is none', 64, ['ca', 'prepare', 'pgp', '--reason', 'x'], /x509, jwt/],
  ['no reason', 64, ['ca', 'prepare', 'x509'], /--reason/],
  ['a slot that is not there', 1, ['ca', 'taint', 'x509', '--slot', 'x_none', '--reason', 'x'], /no such slot/],
  ['nothing to activate', 1, ['ca', 'activate', 'x509', '--reason', 'x'], /no key is Published: "ca prepare"/],
  [
    'a trust domain without a bundle',
    64,
    ['identity', 'verify', import.meta.filename, '--trust-domain', 'a.b'],
    /goes with --bundle/,
  ],
]
test('[IDCLI-02] what is wrong is said, with its status', () =>
  withProcess(async ({ ctl }) => {
    await json(ctl('identity', 'show', NAME, '-o', 'json'))
    for (const [what, code, words, said] of wrong) {
      const ran = await ctl(...words)
      assert.deepEqual([ran.status, said.test(ran.err)], [code, true], `${what}: ${ran.status} ${ran.err}`)
    }
  }))

test('[IDCLI-03] a rotation by the verbs: what was held goes on, what is tainted is replaced, what is revoked verifies no longer', () =>
  withProcess(async ({ home, ctl }) => {
    const before = await json<Shown>(ctl('identity', 'show', NAME, '-o', 'json'))
    const old = join(home, 'old.pem')
    writeFileSync(old, before.chain)
    const ca = (verb: string): Promise<Ca> => json<Ca>(ctl('ca', verb, 'x509', '--reason', 'a test', '-o', 'json'))
    assert.deepEqual(states(await ca('prepare')), ['Active', 'Published'])
    assert.deepEqual(states(await ca('activate')), ['Retired', 'Active'])
    assert.equal((await ctl('identity', 'verify', old)).status, 0)
    assert.deepEqual(states(await ca('taint')), ['Tainted', 'Active'])
    let after = before
    for (let turn = 0; turn < 100 && after.slot === before.slot; turn += 1)
      after = await json<Shown>(ctl('identity', 'show', NAME, '-o', 'json'))
    assert.notEqual(after.slot, before.slot)
    assert.deepEqual(states(await ca('revoke')), ['Revoked', 'Active'])
    const refused = await ctl('identity', 'verify', old, '-o', 'json')
    assert.deepEqual([refused.status, JSON.parse(refused.out).reason], [1, 'UNTRUSTED'])
    const status = await ctl('ca', 'status')
    assert.match(status.out, /trust domain sallyport\.local, bundle \d+\nSLOT +SIGNS +STATE/)
  }))

test('[IDCLI-04] an agent asks what it is, through its sidecar; nobody else opens that route', () =>
  withProcess(async ({ running, ctl }) => {
    const { facade, admin, adminToken } = running.ready
    const self = (headers: Record<string, string>) => fetch(`${facade}/sallyport/v1/self`, { headers })
    const token = { authorization: `Bearer ${running.token(NAME)}` }
    const response = await self(token)
    assert.equal(response.status, 200)
    const answer = (await response.json()) as { spiffeId: string; name: string; state: string; tools: string[] }
    assert.deepEqual([answer.spiffeId, answer.name, answer.state], [ID, 'marketing', 'Active'])
    assert.ok(Array.isArray(answer.tools))
    assert.ok(!JSON.stringify(answer).includes('sp_vk_'))
    assert.equal((await self({})).status, 403)
    const own = `${admin}/v1/self`
    const codeOf = async (headers: Record<string, string>): Promise<string> => {
      const refused = await fetch(own, { headers })
      const { error } = (await refused.json()) as { error: { message: string } }
      return `${refused.status} ${/IDENTITY_\w+|admin token/.exec(error.message)?.[0]}`
    }
    assert.equal(await codeOf({}), '401 admin token')
    assert.equal(await codeOf({ authorization: `Bearer ${adminToken}` }), '401 IDENTITY_PROOF_MISSING')
    assert.equal(
      await codeOf({ 'x-sallyport-proof': 'a.b.c', 'x-sallyport-svid': 'a.b.c' }),
      '401 IDENTITY_PROOF_INVALID',
    )
    const other = await fetch(`${admin}/v1/agents`, { headers: { 'x-sallyport-proof': 'a.b.c' } })
    assert.equal(other.status, 401)
    assert.equal((await ctl('quarantine', NAME, '--reason', 'x')).status, 0)
    assert.equal((await self(token)).status, 403)
  }))

test('[CA-01] the identities of a process last: after a restart the bundle is the same, and another trust domain is refused', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-identity-'))
  const bundleOf = async ({ ready }: Running): Promise<string> => {
    const headers = { authorization: `Bearer ${ready.adminToken}` }
    return await (await fetch(`${ready.admin}/v1/bundle`, { headers })).text()
  }
  const within = (body: (world: World) => Promise<void>): Promise<void> => withProcess(body, { dataDir })
  try {
    let before = ''
    await within(async ({ running, ctl }) => {
      await json<Shown>(ctl('identity', 'show', NAME, '-o', 'json'))
      before = await bundleOf(running)
      await running.stop('SIGTERM')
    })
    assert.match(before, /"use":"jwt-svid"/)
    await within(async ({ running }) => {
      assert.equal(await bundleOf(running), before)
      await running.stop('SIGTERM')
    })
    const words = ['up', '--data', dataDir, '--port', '0', '--admin-port', '0', '--trust-domain', 'other.example']
    const ran = await spawned(SALLYCTL, words)
    assert.equal(ran.status, 69, ran.err)
    assert.match(
      ran.err,
      /another trust domain, "sallyport\.local", not "other\.example"; give --trust-domain sallyport\.local/,
    )
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('[CA-10] a process whose CA was damaged: a journal that is gone stops its start, a key that is gone is the fault that it tells', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-identity-'))
  const bundleOf = async ({ ready }: Running): Promise<string> => {
    const headers = { authorization: `Bearer ${ready.adminToken}` }
    return await (await fetch(`${ready.admin}/v1/bundle`, { headers })).text()
  }
  const lose = async (file: string, body: () => Promise<void>): Promise<void> => {
    const path = join(dataDir, 'ca', file)
    renameSync(path, `${path}.kept`)
    await body()
    renameSync(`${path}.kept`, path)
  }
  const within = (body: (world: World) => Promise<void>): Promise<void> => withProcess(body, { dataDir })
  try {
    let before = ''
    await within(async ({ running, ctl }) => {
      await json<Shown>(ctl('identity', 'show', NAME, '-o', 'json'))
      before = await bundleOf(running)
    })
    for (const file of ['journal.jsonl', 'seal.key'])
      assert.equal(statSync(join(dataDir, 'ca', file)).mode & 0o777, 0o600, file)
    assert.equal(statSync(join(dataDir, 'ca')).mode & 0o777, 0o700)
    await lose('journal.jsonl', async () => {
      const ran = await spawned(SALLYCTL, ['up', '--data', dataDir, '--port', '0', '--admin-port', '0'])
      assert.equal(ran.status, 69, ran.err)
      assert.match(ran.err, /journal\.jsonl: it is gone, and keys of its CA are there; put back a copy/)
    })
    await lose('seal.key', () =>
      within(async ({ running, ctl }) => {
        const shown = await ctl('identity', 'show', NAME)
        assert.notEqual(shown.status, 0)
        const status = await ctl('ca', 'status', '-o', 'json')
        assert.equal(status.status, 1)
        assert.match((JSON.parse(status.out) as { fault: string }).fault, /seal\.key: it is gone/)
        const refused = await ctl('ca', 'prepare', 'x509', '--reason', 'x')
        assert.match(refused.err, /seal\.key: it is gone/)
        assert.equal(await bundleOf(running), before)
        assert.ok(!existsSync(join(dataDir, 'ca/seal.key')))
      }),
    )
    await within(async ({ running, ctl }) => {
      await json<Shown>(ctl('identity', 'show', NAME, '-o', 'json'))
      assert.equal(await bundleOf(running), before)
    })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
