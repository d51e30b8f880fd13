/** A CA whose folder was damaged: it signs nothing, says which file, and never makes another root in silence. Decision 0034. */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { systemDisk } from '#pkg/platform/files'
import { newLog, silentLog } from '#pkg/platform/log'
import { newAgentKeyPair, signingRequest } from '../agent-key.ts'
import { agent, type CaBench, ID, jwtOf, newCaBench, UID, withCa, x509Of } from '../identity.fixture.ts'
import { workOf } from './ca-work.ts'
import type { CaResult, CaWorker } from './contract.ts'
import { setAsideFirstVersion } from './first-version.ts'
import { newFileKeyManager } from './key-manager.ts'

/** Made once: most tests look at copies of its folder. */
let whole: CaBench
before(async () => {
  whole = newCaBench()
  await whole.authority.ready()
  await whole.authority.move('prepare', { authority: 'X509', slot: null, by: null, reason: 'x' })
})
after(() => whole.close())

async function withCopy(body: (bench: CaBench) => Promise<void>): Promise<void> {
  const bench = newCaBench()
  try {
    cpSync(whole.dir, bench.dir, { recursive: true })
    bench.reopen()
    await body(bench)
  } finally {
    bench.close()
  }
}

const JOURNAL = 'journal.jsonl'
const SEAL = 'seal.key'
const sealedOf = ({ dir }: CaBench): readonly string[] =>
  existsSync(join(dir, 'keys')) ? readdirSync(join(dir, 'keys')).map((name) => `keys/${name}`) : []
const filesOf = (bench: CaBench): readonly string[] => [JOURNAL, SEAL, ...sealedOf(bench)]
const allOf = (bench: CaBench): Readonly<Record<string, Buffer>> =>
  Object.fromEntries(
    filesOf(bench)
      .filter((name) => statSync(join(bench.dir, name), { throwIfNoEntry: false })?.isFile())
      .map((name) => [name, readFileSync(join(bench.dir, name))]),
  )

/** Starts again as the process does, and has both kinds of SVID signed. The code and the words of the first fault, or null. */
async function faultOf(bench: CaBench): Promise<{ readonly code: string; readonly message: string } | null> {
  try {
    bench.reopen()
    await bench.authority.ready()
    await bench.authority.maintain()
    await x509Of(bench)
    await jwtOf(bench)
    return null
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error, String(error))
    return { code: String(error.code), message: error.message }
  }
}

/** Whatever was done: an error that names the folder, the root of before or none, and nothing on the disk that was not there. */
async function assertClosed(bench: CaBench, damage: () => void): Promise<void> {
  await bench.authority.ready()
  const before = JSON.stringify(bench.authority.bundle())
  damage()
  const left = allOf(bench)
  const fault = await faultOf(bench)
  assert.equal(fault?.code, 'STATE_UNAVAILABLE')
  assert.ok(fault.message.includes(bench.dir), fault.message)
  assert.match(fault.message, /put back a copy/)
  assert.equal(JSON.stringify(bench.authority.bundle()), before)
  assert.deepEqual(allOf(bench), left)
}

type Damage = (path: string) => void
const DAMAGES: Readonly<Record<string, Damage>> = {
  deleted: (path) => rmSync(path),
  empty: (path) => truncateSync(path, 0),
  'cut in half': (path) => truncateSync(path, statSync(path).size >> 1),
  'one byte short': (path) => truncateSync(path, statSync(path).size - 1),
  'one byte longer': (path) => writeFileSync(path, 'x', { flag: 'a' }),
  'a folder': (path) => {
    rmSync(path)
    mkdirSync(path)
  },
}
const FILES: Readonly<Record<string, (bench: CaBench) => string>> = {
  'the journal': () => JOURNAL,
  'the sealing key': () => SEAL,
  'the key that signs certificates': (bench) => `keys/${slotOf(bench, 'X509')}.sealed`,
  'the key that signs tokens': (bench) => `keys/${slotOf(bench, 'Jwt')}.sealed`,
}
const slotOf = ({ authority }: CaBench, kind: string): string =>
  authority.status().slots.find(({ authority: of, state }) => of === kind && state === 'Active')?.id ??
  assert.fail(kind)
for (const [kind, file] of Object.entries(FILES))
  for (const [how, damage] of Object.entries(DAMAGES))
    test(`[CA-10] ${kind}, ${how}: closed, and no other root`, () =>
      withCopy((bench) => assertClosed(bench, () => damage(join(bench.dir, file(bench))))))

const LOSSES: readonly (readonly [what: string, lost: readonly string[]])[] = [
  ['all keys', ['keys']],
  ['all keys and the sealing key', ['keys', SEAL]],
  ['the journal and the sealing key', [JOURNAL, SEAL]],
  ['the journal and all keys', [JOURNAL, 'keys']],
]
for (const [what, lost] of LOSSES)
  test(`[CA-10] ${what}, lost together: closed, and no other root`, () =>
    withCopy((bench) =>
      assertClosed(bench, () => {
        for (const name of lost) rmSync(join(bench.dir, name), { recursive: true })
      }),
    ))

test('[CA-10] a journal that lost its last entries, at the end of any line: closed', () =>
  withCopy(async (bench) => {
    const path = join(bench.dir, JOURNAL)
    const lines = readFileSync(path, 'utf8').split('\n')
    assert.equal(lines.length, 6)
    for (let kept = 0; kept < lines.length - 1; kept += 1) {
      writeFileSync(path, `${lines.slice(0, kept).join('\n')}\n`)
      assert.equal((await faultOf(bench))?.code, 'STATE_UNAVAILABLE', `${kept} lines`)
    }
    for (let gone = 0; gone < lines.length - 1; gone += 1) {
      writeFileSync(path, lines.toSpliced(gone, 1).join('\n'))
      assert.equal((await faultOf(bench))?.code, 'STATE_UNAVAILABLE', `without line ${gone + 1}`)
    }
    writeFileSync(path, lines.join('\n'))
    assert.equal(await faultOf(bench), null)
  }))

test('[CA-10] any bit of any file of another value: closed', () =>
  withCopy(async (bench) => {
    const before = JSON.stringify(bench.authority.bundle())
    const files = Object.values(FILES).map((file) => file(bench))
    await fc.assert(
      fc.asyncProperty(fc.nat(files.length - 1), fc.nat(1_000_000), fc.nat(7), async (which, where, bit) => {
        const path = join(bench.dir, files[which] ?? '')
        const bytes = readFileSync(path)
        const changed = Buffer.from(bytes)
        const at = where % bytes.length
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        writeFileSync(path, changed)
        const fault = await faultOf(bench)
        assert.equal(fault?.code, 'STATE_UNAVAILABLE', `bit ${bit} of byte ${at} of ${path}`)
        assert.equal(JSON.stringify(bench.authority.bundle()), before)
        writeFileSync(path, bytes)
      }),
      { numRuns: 200 },
    )
    assert.equal(await faultOf(bench), null)
  }))

test('[CA-10] a key that does not open is not replaced by upkeep, and not made the one that signs', () =>
  withCa(
    async (bench) => {
      await bench.authority.ready()
      const x509 = { authority: 'X509', slot: null, by: null, reason: 'x' } as const
      const { slots } = await bench.authority.move('prepare', x509)
      const next = slots.find(({ state }) => state === 'Published') ?? assert.fail('none is published')
      const path = join(bench.dir, `keys/${next.id}.sealed`)
      const bytes = readFileSync(path)
      rmSync(path)
      await assert.rejects(bench.authority.move('activate', x509), { code: 'STATE_UNAVAILABLE' })
      assert.equal(bench.authority.status().slots.find(({ id }) => id === next.id)?.state, 'Published')
      await x509Of(bench)
      writeFileSync(path, bytes)
      await bench.authority.move('activate', x509)
      const csr = signingRequest(newAgentKeyPair(), ID)
      assert.equal((await bench.authority.issueX509({ agent, uid: UID, epoch: 1, csr })).slot, next.id)
      rmSync(path)
      bench.reopen()
      bench.clock.advanceMs(2.5 * 86_400_000)
      const before = bench.authority.status()
      await assert.rejects(bench.authority.maintain(), { code: 'STATE_UNAVAILABLE' })
      assert.deepEqual(bench.authority.status(), before)
    },
    { lifetimeMs: 3 * 86_400_000 },
  ))

test('[CA-11] whichever write of a first start fails, the next start makes the CA, and leaves no key of nobody', async () => {
  // keys are made once: it is the writes that differ
  const made = new Map<string, CaResult>()
  const worker: CaWorker = {
    run: async (job) => {
      const result = made.get(job.do) ?? workOf(job)
      if (job.do === 'make-x509' || job.do === 'make-jwt') made.set(job.do, result)
      return result
    },
    close: async () => {},
  }
  for (let call = 1; ; call += 1) {
    const bench = newCaBench({ worker })
    try {
      let calls = 0
      const step = <T>(body: () => T): T => {
        calls += 1
        if (calls === call) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        return body()
      }
      const disk = {
        write: (...given: Parameters<typeof systemDisk.write>) => step(() => systemDisk.write(...given)),
        sync: (fd: number) => step(() => systemDisk.sync(fd)),
      }
      const isWhole = await bench
        .reopen(disk)
        .ready()
        .then(
          () => true,
          () => false,
        )
      assert.equal(await faultOf(bench), null, `write ${call}`)
      assert.equal(bench.authority.bundle().keys.length, 2)
      assert.equal(sealedOf(bench).length, 2)
      if (calls < call) return assert.ok(isWhole && call > 8, `${call} writes`)
      assert.ok(!isWhole)
    } finally {
      bench.close()
    }
  }
})

test('[CA-11] a folder that is not there is a first start, also after one that was', () =>
  withCopy(async (bench) => {
    await bench.authority.ready()
    const before = bench.authority.bundle()
    rmSync(bench.dir, { recursive: true })
    assert.equal(await faultOf(bench), null)
    assert.notDeepEqual(bench.authority.bundle().keys, before.keys)
  }))

test('[CA-01] no private part of a key stands in any file, in any form', () =>
  withCopy(async (bench) => {
    const random = (): never => assert.fail('nothing is made')
    const manager = newFileKeyManager({ random, log: silentLog }, bench.dir)
    const files = Object.values(allOf(bench)).map((bytes) => bytes.toString('latin1'))
    for (const { id } of bench.authority.status().slots) {
      const der = await manager.open(id, readFileSync(join(bench.dir, `keys/${id}.sealed`)))
      const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
      for (const part of [key.d, key.p, key.q, key.dp, key.dq, key.qi]) {
        const bytes = Buffer.from(part ?? assert.fail('no private part'), 'base64url')
        const forms = [0, 1, 2].flatMap((at) => {
          const piece = bytes.subarray(at, at + 30)
          return [
            piece.toString('latin1'),
            ...(['hex', 'base64', 'base64url'] as const).map((as) => piece.toString(as)),
          ]
        })
        for (const form of forms) assert.ok(!files.some((text) => text.includes(form)), id)
      }
    }
  }))

test('[CA-12] bits that let others at the folder or a file of it are taken away, with a warning that names it', () =>
  withCopy(async (bench) => {
    const names = ['.', 'keys', ...filesOf(bench)]
    for (const name of names) chmodSync(join(bench.dir, name), name === '.' || name === 'keys' ? 0o755 : 0o644)
    bench.warnings.length = 0
    assert.equal(await faultOf(bench), null)
    for (const name of names) {
      const mode = name === '.' || name === 'keys' ? 0o700 : 0o600
      assert.equal(statSync(join(bench.dir, name)).mode & 0o777, mode, name)
    }
    assert.deepEqual(
      [...bench.warnings].sort(),
      names.map((name) => `ca-mode-tightened ${join(bench.dir, name)}`).sort(),
    )
  }))

test('[CA-13] a CA of the first version is set aside whole, told as a warning, and a new one made; of another trust domain it stays', async () => {
  const bench = newCaBench()
  try {
    const [{ trustDomain }, lines] = [bench.authority, [] as string[]]
    const old = (domain: string): string => `{"format":"sallyport ca journal 1","trustDomain":"${domain}"}\n`
    const log = newLog({ write: (line) => lines.push(line) })
    mkdirSync(join(bench.dir, 'keys'), { recursive: true })
    writeFileSync(join(bench.dir, 'keys/x_old.sealed'), 'sealed')
    writeFileSync(join(bench.dir, JOURNAL), old('other.example'))
    setAsideFirstVersion(bench.dir, trustDomain, log)
    assert.ok(existsSync(join(bench.dir, JOURNAL)))
    writeFileSync(join(bench.dir, JOURNAL), old(trustDomain))
    setAsideFirstVersion(bench.dir, trustDomain, log)
    assert.equal(readFileSync(join(`${bench.dir}.1`, 'keys/x_old.sealed'), 'utf8'), 'sealed')
    assert.equal(lines.filter((line) => line.includes('ca-of-first-version-set-aside')).length, 1)
    bench.reopen()
    await bench.authority.ready()
    assert.equal(bench.authority.status().slots.length, 2)
  } finally {
    bench.close()
  }
})
