/** Places that cannot be used: the answer names the path, says why and what to do, and is never a fault of the program. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Ran, ROOT, run, SALLYCTL, spawned } from '../../../test/fixtures/run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'sp-places-'))
const policies = join(home, 'policies')
before(() => cpSync(join(ROOT, 'docs/examples/demo'), policies, { recursive: true }))
/** What was closed is opened again, or it could not be removed. */
const narrowed: string[] = []
after(() => {
  for (const path of narrowed) chmodSync(path, 0o700)
  rmSync(home, { recursive: true, force: true })
})

/** A folder of its own for each row. */
const newFolder = (): string => mkdtempSync(join(home, 'f-'))

const put = (path: string, text = 'junk\n'): string => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}
const putFolder = (path: string): string => {
  mkdirSync(path, { recursive: true })
  return path
}

const up = (data: string, ...more: readonly string[]): readonly string[] => [
  'up',
  '--data',
  data,
  '--port',
  '0',
  '--admin-port',
  '0',
  '--simulate',
  ...more,
] // simulated: no key, no address

const withPolicies = (data: string, dir = policies): readonly string[] => up(data, '--policies', dir)

/** One line: the program, a code that is not INTERNAL, the path, and a remedy; no stack. */
function assertClear(row: string, { status, out, err }: Ran, wanted: Wanted): void {
  const said = err.split('\n').filter((line) => line.startsWith('sallyctl: '))
  const last = said.at(-1) ?? ''
  assert.equal(status, wanted.status, `${row}: ${out}${err}`)
  assert.match(last, wanted.says, `${row}: ${err}`)
  assert.ok(last.includes(wanted.names), `${row} does not name ${wanted.names}: ${last}`)
  assert.doesNotMatch(err, /INTERNAL|^ +at |undefined/m, row)
}

type Wanted = { readonly status: number; readonly says: RegExp; readonly names: string }
type Row = readonly [row: string, status: number, says: RegExp, make: () => Placed]
/** The command line, and the path that its answer has to name. */
type Placed = { readonly words: readonly string[]; readonly names: string }

const IS_FILE = /is a file where a folder belongs: move it away/
const IS_FOLDER = /a folder stands where a file belongs: move it away/

/** `up` on a data folder in which something stands in the way. */
const inData = (name: string, place: (path: string) => void): Placed => {
  const data = newFolder()
  const path = join(data, name)
  mkdirSync(dirname(path), { recursive: true })
  place(path)
  return { words: withPolicies(data), names: path }
}
const underFile = (): string => join(put(join(newFolder(), 'file')), 'data')

const ROWS: readonly Row[] = [
  ['the data folder is a file', 69, IS_FILE, () => at(put(join(newFolder(), 'file')), up)],
  ['the data folder lies under a file', 69, IS_FILE, () => at(underFile(), up)],
  ['the same with policies of its own', 69, IS_FILE, () => at(underFile(), withPolicies)],
  ['the policies are a file', 65, IS_FILE, () => at(put(join(newFolder(), 'p')), policiesOf)],
  [
    'the policies are one file of them',
    65,
    /give its folder: --policies \//,
    () => at(put(join(newFolder(), 'a.yaml')), policiesOf),
  ],
  ['the policies are not there', 65, /is not there: make it/, () => at(join(newFolder(), 'p'), policiesOf)],
  ['a policy file is a link that leads nowhere', 65, /the link leads nowhere/, dangling],
  ['the starter folder is a file', 65, IS_FILE, () => starter((path) => put(path))],
  ['tokens: a folder', 69, IS_FOLDER, () => inData('tokens', putFolder)],
  ['tokens: damaged', 69, /put back a copy, or delete the file/, () => inData('tokens', put)],
  ['state: a folder', 69, IS_FOLDER, () => inData('state.jsonl', putFolder)],
  ['state: damaged', 69, /put back a copy; or, if every agent may act/, () => inData('state.jsonl', put)],
  ['audit: a folder', 69, IS_FOLDER, () => inData('audit.jsonl', putFolder)],
  ['audit.key: a folder', 69, IS_FOLDER, () => inData('audit.key', putFolder)],
  ['audit.key: damaged', 69, /it does not hold a key; put it back/, () => inData('audit.key', put)],
  ['audit.head: a folder', 69, IS_FOLDER, () => inData('audit.head', putFolder)],
  ['audit.pub: a folder', 69, IS_FOLDER, () => inData('audit.pub', putFolder)],
  ['lock: a folder', 69, IS_FOLDER, () => inData('lock', putFolder)],
  ['lock: damaged', 69, /make sure that none is running, then delete it/, () => inData('lock', put)],
  ['ca: a file', 69, IS_FILE, () => inData('ca', put)],
  ['ca/keys: a file', 69, IS_FILE, () => inData('ca/keys', put)],
  ['ca/journal: a folder', 69, IS_FOLDER, () => inData('ca/journal.jsonl', putFolder)],
  [
    'ca/journal: damaged',
    69,
    /put back a copy of the whole folder, or move the folder away/,
    () => inData('ca/journal.jsonl', put),
  ],
  ['admin.sock: a folder', 64, /is in the way.*choose another --data/, () => inData('admin.sock', putFolder)],
  ['admin.sock: too long a path', 64, /the limit is 103.*choose a shorter --data/, () => at(longPath(), up)],
]

const at = (path: string, words: (path: string) => readonly string[]): Placed => ({ words: words(path), names: path })
const policiesOf = (dir: string): readonly string[] => withPolicies(newFolder(), dir)
const longPath = (): string => join(newFolder(), 'a'.repeat(100))

function dangling(): Placed {
  const dir = newFolder()
  const path = join(dir, 'a.yaml')
  symlinkSync(join(dir, 'nowhere'), path)
  return at(path, () => policiesOf(dir))
}

function starter(place: (path: string) => void): Placed {
  const data = newFolder()
  place(join(data, 'policies'))
  return { words: up(data), names: join(data, 'policies') }
}

for (const [row, status, says, make] of ROWS)
  test(`[PLACE-01] up: ${row}`, async () => {
    const { words, names } = make()
    assertClear(row, await run(words), { status, says, names })
  })

const VERBS: readonly (readonly string[])[] = [
  ['agents'],
  ['agents', 'one'],
  ['verdicts'],
  ['policy', 'explain', 'v_0000000000000000'],
  ['policy', 'effective', 'one'],
  ['policy', 'suggest', 'one'],
  ['quarantine', 'one', '--reason', 'x'],
  ['release', 'one', '--reason', 'x'],
  ['identity', 'show'],
  ['ca', 'status'],
  ['run', '--simulate', '--', 'true'],
]

for (const words of VERBS)
  test(`[PLACE-01] ${words.join(' ')}: the data folder is a file, lies under one, or has too long a name`, async () => {
    const file = put(join(newFolder(), 'file'))
    const ask = async (data: string): Promise<Ran> =>
      await run([...words.slice(0, 1), '--data', data, ...words.slice(1)])
    for (const data of [file, join(file, 'data')])
      assertClear(words.join(' '), await ask(data), { status: 69, says: IS_FILE, names: data })
    if (words[0] === 'run' || words[1] === 'suggest') return // the one starts its own there, the other reads files
    const long = longPath()
    const says = /UNREACHABLE: .*the limit is 103; choose a shorter --data/
    assertClear(words.join(' '), await ask(long), { status: 69, says, names: long })
  })

const KEY = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()

for (const verb of ['verify', 'tail'])
  test(`[PLACE-01] audit ${verb}: the data folder is a file, or what it holds cannot be read`, async () => {
    const file = put(join(newFolder(), 'file'))
    assertClear(verb, await run(['audit', verb, '--data', file]), { status: 69, says: IS_FILE, names: file })
    const { words, names } = inData('audit.jsonl', putFolder)
    const data = words[2] ?? ''
    put(join(data, 'audit.pub'), KEY)
    assertClear(verb, await run(['audit', verb, '--data', data]), {
      status: 69,
      says: IS_FOLDER,
      names: dirname(names),
    })
  })

test('a port in use is named, with the flag that chooses another', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  try {
    for (const flag of ['--port', '--admin-port']) {
      const words = [...withPolicies(newFolder()), flag, port]
      const says = new RegExp(`UNREACHABLE: .*; choose another with ${flag}$`)
      assertClear(flag, await run(words), { status: 69, says, names: `127.0.0.1:${port}` })
    }
  } finally {
    server.close()
  }
})

test('half a starter is never left behind for the next start', async () => {
  const data = newFolder()
  put(join(data, 'policies.new/agent.yaml'), '')
  put(join(data, 'tokens')) // ends that start behind the starter
  assert.equal((await run(up(data))).status, 69)
  assert.deepEqual(readdirSync(join(data, 'policies')), ['agent.yaml', 'policy.yaml'])
  assert.ok(!readdirSync(data).includes('policies.new'))
})

/** As a user whom the rights of files bind: root without the capabilities that override them. */
async function bound(words: readonly string[]): Promise<Ran> {
  if (process.getuid?.() !== 0) return await spawned(SALLYCTL, words)
  return await spawned('setpriv', ['--bounding-set', '-dac_override,-dac_read_search', SALLYCTL, ...words])
}

type Rights = readonly [row: string, status: number, make: () => Placed]

const narrow = (path: string, mode: number): string => {
  narrowed.push(path)
  chmodSync(path, mode)
  return path
}
const closed = (path: string): string => narrow(path, 0)
const readOnly = (path: string): string => narrow(path, 0o500)
const closedIn = (name: string): Placed => inData(name, (path) => closed(put(path)))

const RIGHTS: readonly Rights[] = [
  ['the folder above the data folder', 69, () => at(join(readOnly(newFolder()), 'data'), up)],
  ['the data folder: not to write', 69, () => at(readOnly(newFolder()), withPolicies)],
  ['the data folder: not to look into', 69, () => at(closed(newFolder()), withPolicies)],
  ['tokens', 69, () => closedIn('tokens')],
  ['state', 69, () => closedIn('state.jsonl')],
  ['audit', 69, () => closedIn('audit.jsonl')],
  ['audit.key', 69, () => closedIn('audit.key')],
  ['lock', 69, () => closedIn('lock')],
  ['ca', 69, () => inData('ca', (path) => closed(putFolder(path)))],
  ['ca/journal', 69, () => closedIn('ca/journal.jsonl')],
  ['the folder of policies', 65, () => at(closed(newFolder()), policiesOf)],
  ['a policy file', 65, () => closedPolicy()],
  ['policy check of a policy file', 65, () => closedPolicy((dir) => ['policy', 'check', dir])],
]

function closedPolicy(words = policiesOf): Placed {
  const dir = newFolder()
  return { words: words(dir), names: closed(put(join(dir, 'a.yaml'))) }
}

for (const [row, status, make] of RIGHTS)
  test(`[PLACE-01] no right: ${row}`, async () => {
    const { words, names } = make()
    const says = /this user may not use it: repair its rights, or run as its owner/
    assertClear(row, await bound(words), { status, says, names })
  })

test('no right: the verbs are forbidden, and say as whom to run', async () => {
  const data = newFolder()
  closed(data)
  for (const words of [['agents'], ['verdicts'], ['release', 'one', '--reason', 'x']]) {
    const says = /ADMIN_UNAUTHORIZED: .*belongs to another user; run this as that user/
    assertClear(words[0] ?? '', await bound([...words, '--data', data]), { status: 77, says, names: data })
  }
})

test('stdout that takes nothing is said', { skip: process.platform !== 'linux' }, async () => {
  const { status, err } = await spawned('sh', ['-c', `"${SALLYCTL}" version > /dev/full`])
  assert.equal(status, 1)
  assert.match(err, /^sallyctl: stdout cannot be written \(ENOSPC\)$/m)
})
