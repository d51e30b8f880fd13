import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CaSlotState } from '#pkg/model'
import { systemDisk } from '#pkg/platform/files'
import { AUDIENCE, type CaBench, jwtOf, NOON, newCaBench, withCa, x509Of } from '../identity.fixture.ts'
import { verifyJwtSvid } from '../jwt-svid.ts'
import { verifyX509Svid } from '../x509-svid.ts'
import type { AuthorityKind, Slot } from './slots.ts'

const statesOf = ({ authority }: CaBench, kind: AuthorityKind): readonly CaSlotState[] =>
  authority
    .status()
    .slots.filter((slot) => slot.authority === kind)
    .map(({ state }) => state)
const slotOf = ({ authority }: CaBench, kind: AuthorityKind, state: CaSlotState): Slot => {
  const found = authority.status().slots.find((slot) => slot.authority === kind && slot.state === state)
  assert.ok(found !== undefined)
  return found
}
const by = { by: 'test', reason: 'a test' }
const move = ({ authority }: CaBench, verb: 'prepare' | 'activate' | 'taint' | 'revoke', slot: string | null = null) =>
  authority.move(verb, { authority: 'X509', slot, ...by })
const codeOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run
    return 'ok'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
const verdictOf = (bench: CaBench, chain: readonly Uint8Array[]): string => {
  const verdict = verifyX509Svid(chain, bench.bundle(), bench.clock.nowMs())
  return verdict.ok ? 'ok' : verdict.reason
}

test('[CA-01] a first start makes a key of each kind, sealed, for the owner alone; the next one has the same', () =>
  withCa(async (bench) => {
    await bench.authority.ready()
    assert.deepEqual([statesOf(bench, 'X509'), statesOf(bench, 'Jwt')], [['Active'], ['Active']])
    const { key } = slotOf(bench, 'Jwt', 'Active')
    const keys = join(bench.dir, 'keys')
    assert.equal(readdirSync(keys).length, 2)
    for (const file of [
      ...readdirSync(keys).map((name) => join(keys, name)),
      join(bench.dir, 'seal.key'),
      join(bench.dir, 'journal.jsonl'),
    ]) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file)
      assert.doesNotMatch(readFileSync(file, 'latin1'), /PRIVATE KEY|MIIE/, file)
    }
    assert.equal(statSync(keys).mode & 0o777, 0o700)
    const before = bench.authority.bundle()
    const { issued } = await x509Of(bench)
    bench.reopen()
    await bench.authority.ready()
    assert.deepEqual(bench.authority.bundle(), before)
    assert.deepEqual(slotOf(bench, 'Jwt', 'Active').key, key)
    assert.equal(verdictOf(bench, issued.chain), 'ok')
    assert.equal(verdictOf(bench, (await x509Of(bench)).issued.chain), 'ok')
  }))

test('[CA-02] a rotation: what the old key signed goes on, what the new one signs verifies before anybody switches', () =>
  withCa(async (bench) => {
    const old = (await x509Of(bench)).issued
    const sequence = bench.authority.bundle().spiffe_sequence
    await move(bench, 'prepare')
    assert.deepEqual(statesOf(bench, 'X509'), ['Active', 'Published'])
    assert.ok(bench.authority.bundle().spiffe_sequence > sequence)
    const known = bench.bundle() // what a verifier holds from before the activation
    await move(bench, 'activate')
    assert.deepEqual(statesOf(bench, 'X509'), ['Retired', 'Active'])
    const { issued } = await x509Of(bench)
    assert.notEqual(issued.slot, old.slot)
    assert.equal(verifyX509Svid(issued.chain, known, bench.clock.nowMs()).ok, true)
    assert.equal(verdictOf(bench, old.chain), 'ok')
    await move(bench, 'taint')
    assert.equal(verdictOf(bench, old.chain), 'ok')
    await move(bench, 'revoke')
    assert.equal(verdictOf(bench, old.chain), 'UNTRUSTED')
    assert.equal(verdictOf(bench, issued.chain), 'ok')
    assert.equal(existsSync(join(bench.dir, 'keys', `${old.slot}.sealed`)), false)
  }))

const refusals: readonly (readonly [what: string, run: (bench: CaBench) => Promise<unknown>, code: string])[] = [
  [
    'two prepared at once',
    async (bench) => [await move(bench, 'prepare'), await move(bench, 'prepare')],
    'MOVE_REFUSED',
  ],
  ['activate where none is published', (bench) => move(bench, 'activate'), 'ADMIN_NOT_FOUND'],
  ['activate the active one', (bench) => move(bench, 'activate', slotOf(bench, 'X509', 'Active').id), 'MOVE_REFUSED'],
  ['taint the one that signs', (bench) => move(bench, 'taint', slotOf(bench, 'X509', 'Active').id), 'MOVE_REFUSED'],
  ['revoke what is not tainted', (bench) => move(bench, 'revoke', slotOf(bench, 'X509', 'Active').id), 'MOVE_REFUSED'],
  ['revoke where none is tainted', (bench) => move(bench, 'revoke'), 'ADMIN_NOT_FOUND'],
  ['a slot that is not there', (bench) => move(bench, 'taint', 'x_none'), 'ADMIN_NOT_FOUND'],
  ['a slot of the other kind', (bench) => move(bench, 'taint', slotOf(bench, 'Jwt', 'Active').id), 'ADMIN_NOT_FOUND'],
]
for (const [what, run, code] of refusals)
  test(`[CA-03] ${what}: ${code}, and nothing has changed`, () =>
    withCa(async (bench) => {
      await bench.authority.ready()
      assert.equal(await codeOf(run(bench)), code)
      assert.equal(statesOf(bench, 'X509').filter((state) => state === 'Active').length, 1)
      assert.equal(verdictOf(bench, (await x509Of(bench)).issued.chain), 'ok')
    }))

test('[CA-03] a verb that finds nothing to move says what is missing and which verb comes first', () =>
  withCa(async (bench) => {
    await bench.authority.ready()
    const rows = [
      ['activate', /no key is Published: "ca prepare"/],
      ['taint', /no key is Retired: "ca prepare" and "ca activate"/],
      ['revoke', /no key is Tainted: "ca taint"/],
    ] as const
    for (const [verb, words] of rows) await assert.rejects(move(bench, verb), words)
  }))

/** A disk that fails at one call of its own, as a crash there would leave things. */
function failingAt(call: number): { readonly disk: typeof systemDisk; readonly calls: () => number } {
  let calls = 0
  const step = <T>(run: () => T): T => {
    calls += 1
    if (calls === call) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    return run()
  }
  return {
    calls: () => calls,
    disk: {
      write: (...given: Parameters<typeof systemDisk.write>) => step(() => systemDisk.write(...given)),
      sync: (fd) => step(() => systemDisk.sync(fd)),
    },
  }
}

test('[CA-04] whichever write of a rotation fails, the folder is a CA with one active key, and nothing that was signed is lost', async () => {
  for (let call = 1; ; call += 1) {
    const bench = newCaBench()
    try {
      const { issued } = await x509Of(bench)
      const { disk, calls } = failingAt(call)
      bench.reopen(disk)
      const first = await codeOf(move(bench, 'prepare'))
      const second = await codeOf(move(bench, 'activate'))
      bench.reopen()
      await bench.authority.ready()
      assert.equal(statesOf(bench, 'X509').filter((state) => state === 'Active').length, 1)
      assert.equal(verdictOf(bench, issued.chain), 'ok')
      assert.equal(verdictOf(bench, (await x509Of(bench)).issued.chain), 'ok')
      const kept = bench.authority.status().slots.map(({ id }) => `${id}.sealed`)
      for (const name of readdirSync(join(bench.dir, 'keys')))
        if (name.endsWith('.sealed')) assert.ok(kept.includes(name), name)
      if (calls() < call) {
        assert.deepEqual([first, second], ['ok', 'ok'])
        return assert.ok(call > 4, `${call} writes`)
      }
      assert.notDeepEqual([first, second], ['ok', 'ok'])
    } finally {
      bench.close()
    }
  }
})

const damages: readonly (readonly [what: string, damage: (bench: CaBench) => void])[] = [
  [
    'a journal of another trust domain',
    ({ dir }) => rewrite(join(dir, 'journal.jsonl'), (text) => text.replace('sallyport.local', 'evil.example')),
  ],
  [
    'a journal cut in the middle of a line',
    ({ dir }) => rewrite(join(dir, 'journal.jsonl'), (text) => text.slice(0, -20)),
  ],
  [
    'a journal with an entry twice',
    ({ dir }) =>
      rewrite(join(dir, 'journal.jsonl'), (text) =>
        text
          .split('\n')
          .toSpliced(1, 0, text.split('\n')[1] ?? '')
          .join('\n'),
      ),
  ],
  [
    'a journal with a move that does not follow',
    ({ dir }) =>
      rewrite(join(dir, 'journal.jsonl'), (text) =>
        text.replace('"Prepared","to":"Published"', '"Active","to":"Published"'),
      ),
  ],
  [
    'a sealing key that is another',
    ({ dir }) => rewrite(join(dir, 'seal.key'), () => `${Buffer.alloc(32).toString('base64')}\n`),
  ],
  ['a sealed key that was changed', ({ dir }) => each(join(dir, 'keys'), (path) => rewriteBytes(path))],
  ["sealed keys in each other's place", ({ dir }) => swap(join(dir, 'keys'))],
]
function rewrite(path: string, change: (text: string) => string): void {
  const before = readFileSync(path, 'utf8')
  assert.notEqual(change(before), before)
  writeFileSync(path, change(before))
}
function rewriteBytes(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(path, bytes)
}
function each(folder: string, change: (path: string) => void): void {
  for (const name of readdirSync(folder)) change(join(folder, name))
}
function swap(folder: string): void {
  const [a = '', b = ''] = readdirSync(folder).map((name) => join(folder, name))
  const bytes = readFileSync(a)
  writeFileSync(a, readFileSync(b))
  writeFileSync(b, bytes)
}
for (const [what, damage] of damages)
  test(`[CA-05] ${what}: no identity is signed, and the fault names the file`, () =>
    withCa(async (bench) => {
      await bench.authority.ready()
      damage(bench)
      const run = async (): Promise<unknown> => {
        bench.reopen()
        return await x509Of(bench)
      }
      await assert.rejects(run, (error: { code?: string; message?: string }) => {
        assert.equal(error.code, 'STATE_UNAVAILABLE')
        assert.ok(error.message?.includes(bench.dir), error.message)
        return true
      })
    }))

test('[CA-06] keys that are near their end are replaced, and let go once they are over', () =>
  withCa(
    async (bench) => {
      await bench.authority.ready()
      await bench.authority.maintain()
      assert.deepEqual(statesOf(bench, 'X509'), ['Active'])
      bench.clock.advanceMs(2 * 86_400_000 + 1_000)
      await bench.authority.maintain()
      assert.deepEqual(
        [statesOf(bench, 'X509'), statesOf(bench, 'Jwt')],
        [
          ['Retired', 'Active'],
          ['Retired', 'Active'],
        ],
      )
      bench.clock.advanceMs(86_400_000)
      await bench.authority.maintain()
      assert.deepEqual(statesOf(bench, 'X509'), ['Revoked', 'Active'])
      assert.equal(bench.authority.bundle().keys.length, 2)
    },
    { lifetimeMs: 3 * 86_400_000 },
  ))

test('[CA-07] each move of a key and each credential is an audit event, with no key or token in it', () =>
  withCa(async (bench) => {
    const { issued } = await x509Of(bench)
    const jwt = await jwtOf(bench)
    const told = bench.audit.map((event) => (event.kind === 'ca' ? `${event.authority} ${event.to}` : event.kind))
    const life = ['Prepared', 'Published', 'Active']
    assert.deepEqual(told, [
      ...life.map((to) => `X509 ${to}`),
      ...life.map((to) => `Jwt ${to}`),
      'issuance',
      'issuance',
    ])
    const [x509, token] = bench.audit.slice(-2)
    assert.ok(x509?.kind === 'issuance' && token?.kind === 'issuance')
    assert.deepEqual(
      [x509.serial, x509.slot, token.serial, token.audience],
      [issued.serial, issued.slot, jwt.jti, AUDIENCE],
    )
    assert.ok(!JSON.stringify(bench.audit).includes(jwt.token.split('.')[2] ?? '?'))
  }))

test('[CA-07] what cannot be put on record is not given out', () =>
  withCa(async (bench) => {
    await bench.authority.ready()
    bench.audit.push = () => {
      throw Object.assign(new Error('full'), { code: 'STATE_UNAVAILABLE' })
    }
    assert.equal(await codeOf(x509Of(bench)), 'STATE_UNAVAILABLE')
    assert.equal(await codeOf(jwtOf(bench)), 'STATE_UNAVAILABLE')
  }))

test('[CA-02] tokens of a retired key verify until it is revoked', () =>
  withCa(async (bench) => {
    const { token } = await jwtOf(bench)
    const verdict = (): string => {
      const read = verifyJwtSvid(token, { bundle: bench.bundle(), audience: AUDIENCE, nowMs: bench.clock.nowMs() })
      return read.ok ? 'ok' : read.reason
    }
    const jwt = { authority: 'Jwt', slot: null, ...by } as const
    for (const verb of ['prepare', 'activate', 'taint'] as const) {
      await bench.authority.move(verb, jwt)
      assert.equal(verdict(), 'ok', verb)
    }
    await bench.authority.move('revoke', jwt)
    assert.equal(verdict(), 'SIGNATURE')
  }))

test('[BUNDLE-07] the sequence is beyond all before in a CA made anew, in an older copy that goes on, and when the clock goes back', () =>
  withCa(async (bench) => {
    const sequence = (): number => bench.authority.bundle().spiffe_sequence
    const x509 = { authority: 'X509', slot: null, ...by } as const
    await bench.authority.ready()
    const first = sequence()
    const copy = `${bench.dir}.copy`
    cpSync(bench.dir, copy, { recursive: true })
    bench.clock.advanceMs(60_000)
    for (const verb of ['prepare', 'activate', 'taint', 'revoke'] as const) await bench.authority.move(verb, x509)
    const rotated = sequence()
    assert.ok(rotated >= first + 4)
    bench.clock.setMs(NOON - 86_400_000)
    await bench.authority.move('prepare', x509)
    assert.equal(sequence(), rotated + 1)
    bench.clock.setMs(NOON + 120_000)
    rmSync(bench.dir, { recursive: true })
    cpSync(copy, bench.dir, { recursive: true })
    await bench.reopen().move('prepare', x509)
    assert.ok(sequence() > rotated + 1, `${sequence()} after ${rotated + 1}`)
    const restored = sequence()
    bench.clock.advanceMs(60_000)
    rmSync(bench.dir, { recursive: true })
    await bench.reopen().ready()
    assert.ok(sequence() > restored)
  }))
