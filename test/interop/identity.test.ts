/** The identities of a running process, read by other people's tools and libraries, through a whole rotation of its keys. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AGENTS, type Given, type Held, idOf, type Outside, TRUST_DOMAIN, withOutside } from './identity.fixture.ts'
import { byPython, type Case, goReader, lint, openssl, type Told } from './identity-readers.ts'

/** What was given out: `first`, and after both keys were replaced `renewed`; bundles from each moment of it. */
type World = {
  readonly first: Given
  readonly renewed: Given
  /** The new keys are known, and sign nothing yet. */
  readonly published: string
  /** The old keys are revoked. */
  readonly revoked: string
  /** Of another process with the same trust domain. */
  readonly foreign: Given
  readonly at: number
}

const AUTHORITIES = ['x509', 'jwt']
const home = mkdtempSync(join(tmpdir(), 'sallyport-interop-'))
let world: World
let goRead: Awaited<ReturnType<typeof goReader>>
before(async () => {
  goRead = await goReader() // built first: tokens do not wait
  world = await gathered()
})
after(() => rmSync(home, { recursive: true, force: true }))

async function gathered(): Promise<World> {
  let foreign: Given | null = null
  let rotated: Omit<World, 'foreign'> | null = null
  await Promise.all([
    withOutside(async ({ given }) => {
      foreign = await given('foreign', ['marketing'])
    }),
    withOutside(async (outside) => {
      rotated = await rotatedOf(outside)
    }),
  ])
  assert.ok(foreign !== null && rotated !== null)
  return { ...(rotated as Omit<World, 'foreign'>), foreign } // the compiler does not see that it was set in there
}

async function rotatedOf({ given, ctl, bundle }: Outside): Promise<Omit<World, 'foreign'>> {
  const first = await given('first')
  const all = async (verb: string): Promise<void> => {
    for (const authority of AUTHORITIES) await ctl('ca', verb, authority, '--reason', 'a test')
  }
  await all('prepare')
  const published = await bundle()
  await all('activate')
  await all('taint')
  const old = new Set(first.held.map(({ slot }) => slot))
  const isOld = async (agent: string): Promise<boolean> =>
    old.has(((await ctl('identity', 'show', `growth/${agent}`)) as { slot: string }).slot) // cli.md
  for (const agent of AGENTS) for (let turn = 0; turn < 50 && (await isOld(agent)); turn += 1);
  const renewed = await given('renewed')
  await all('revoke')
  return { first, renewed, published, revoked: await bundle(), at: Math.floor(Date.now() / 1_000) }
}

/** `by`: the readers that are asked; default all of its kind. */
type Row = { readonly case: Case; readonly expected: string | null; readonly by?: readonly string[] }

const pemsOf = (chain: string): readonly string[] => chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []

/** py-spiffe parses a chain and does not build its path; crypto/x509 knows nothing of SPIFFE. */
const PATH_BUILDERS = ['cryptography', 'go-spiffe', 'crypto/x509']

function chainRows({ first, renewed, published, revoked, foreign, at }: World): readonly Row[] {
  const row = (name: string, held: Held, bundle: string, isFine: boolean, more: Partial<Case & Row> = {}): Row => {
    const { by = isFine ? undefined : PATH_BUILDERS, expected, ...rest } = more
    const base = {
      kind: 'x509',
      name: `${held.agent}: ${name}`,
      trustDomain: TRUST_DOMAIN,
      bundle,
      chain: held.chain,
      at,
    }
    const made = { ...base, ...rest } as Case // `rest` has fields of this kind alone
    return { case: made, expected: isFine ? idOf(held.agent) : null, ...(by === undefined ? {} : { by }) }
  }
  const [one, other] = [heldBy(first, 'marketing'), heldBy(first, 'research')]
  const [leaf = '', issuer = ''] = pemsOf(one.chain)
  const [, foreignIssuer = ''] = pemsOf(heldBy(foreign, 'marketing').chain)
  return [
    ...first.held.flatMap((held) => [
      row('a first chain, the first bundle', held, first.bundle, true),
      row('a first chain, the next key published', held, published, true),
      row('a first chain, its key tainted', held, renewed.bundle, true),
      row('a first chain, its key revoked', held, revoked, false),
    ]),
    ...renewed.held.flatMap((held) => [
      row('a renewed chain, a bundle from before the activation', held, published, true),
      row('a renewed chain, the bundle of then', held, renewed.bundle, true),
      row('a renewed chain, the old key revoked', held, revoked, true),
      row('a renewed chain, the first bundle', held, first.bundle, false),
    ]),
    row('the bundle of another CA', one, foreign.bundle, false),
    row('the leaf without its issuer', one, first.bundle, false, { chain: leaf }),
    row('the leaf under the issuer of another CA', one, first.bundle, false, { chain: leaf + foreignIssuer }),
    row('after its end', one, first.bundle, false, { at: at + 400 }),
    row('before its beginning', one, first.bundle, false, { at: at - 3_600 }),
    row('one bit of its signature is another', one, first.bundle, false, { chain: flipped(leaf) + issuer }),
    row('its issuer as a leaf', other, first.bundle, false, {
      chain: issuer,
      by: ['cryptography', 'go-spiffe', 'spiffe'],
    }),
    row('as of another trust domain', one, first.bundle, false, { trustDomain: 'evil.example', by: ['go-spiffe'] }),
  ]
}

function heldBy(given: Given, agent: string): Held {
  return given.held.find((held) => held.agent === agent) ?? assert.fail(`${given.stage}: no ${agent}`)
}

/** The certificate with a bit of its last octet, which is the signature's, changed. */
function flipped(pem: string): string {
  const der = Buffer.from(new X509Certificate(pem).raw)
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

function tokenRows({ first, renewed, published, revoked, foreign }: World): readonly Row[] {
  const rows: Row[] = []
  const add = (name: string, held: Held, bundle: string, isFine: boolean, more: Partial<Case & Row> = {}): void => {
    const { by, expected, ...rest } = more
    for (const given of held.tokens) {
      const base = { kind: 'jwt', name: `${held.agent}, ${given.audience}: ${name}`, trustDomain: TRUST_DOMAIN, bundle }
      const made = { ...base, ...given, ...rest } as Case // `rest` has fields of this kind alone
      rows.push({ case: made, expected: isFine ? idOf(held.agent) : null, ...(by === undefined ? {} : { by }) })
    }
  }
  for (const held of first.held) {
    add('a first token, the first bundle', held, first.bundle, true)
    add('a first token, its key tainted', held, renewed.bundle, true)
    add('a first token, its key revoked', held, revoked, false)
  }
  for (const held of renewed.held) {
    add('a renewed token, a bundle from before the activation', held, published, true)
    add('a renewed token, the old key revoked', held, revoked, true)
    add('a renewed token, the first bundle', held, first.bundle, false)
  }
  const one = heldBy(first, 'marketing')
  add('the bundle of another CA', one, foreign.bundle, false)
  add('another audience', one, first.bundle, false, { audience: idOf('support') })
  const ofForeigner = { trustDomain: 'evil.example', by: ['spiffe', 'go-spiffe'] }
  add('as of another trust domain', one, first.bundle, false, ofForeigner)
  for (const [how, change] of Object.entries(TAMPERED))
    for (const { token, audience } of one.tokens)
      add(how, { ...one, tokens: [{ token: change(token), audience }] }, first.bundle, false)
  return rows
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const decoded = (text: string): Record<string, unknown> => JSON.parse(Buffer.from(text, 'base64url').toString())
const TAMPERED: Readonly<Record<string, (token: string) => string>> = {
  'another subject under the same signature': (token) => {
    const [head = '', body = '', mac = ''] = token.split('.')
    return `${head}.${encoded({ ...decoded(body), sub: idOf('support') })}.${mac}`
  },
  'a signature of which one octet is another': (token) => {
    const [head = '', body = '', mac = ''] = token.split('.')
    return `${head}.${body}.${mac.slice(0, 20)}${mac[20] === 'A' ? 'B' : 'A'}${mac.slice(21)}`
  },
  'no signature, by its own word': (token) => {
    const [head = '', body = ''] = token.split('.')
    return `${encoded({ ...decoded(head), alg: 'none' })}.${body}.`
  },
}

type Readers = Readonly<Record<Case['kind'], readonly string[]>>

/** Each reader that is asked about a row says what is expected; at least one is. */
function judge(rows: readonly Row[], told: readonly Told[], readers: Readers): void {
  for (const { case: given, expected, by } of rows) {
    const answers = told.filter(({ name }) => name === given.name)
    assert.deepEqual(answers.map(({ reader }) => reader).sort(), [...readers[given.kind]].sort(), given.name)
    const asked = answers.filter(({ reader }) => by?.includes(reader) ?? true)
    for (const { reader, spiffeId, detail } of asked)
      assert.equal(spiffeId, expected, `${reader}: ${given.name}: ${detail}`)
  }
}

const distinct = (rows: readonly Row[]): readonly Row[] => {
  assert.equal(new Set(rows.map(({ case: { name } }) => name)).size, rows.length)
  return rows
}

const PYTHON_READERS: Readers = { x509: ['cryptography', 'spiffe'], jwt: ['spiffe', 'pyjwt'] }
const GO_READERS: Readers = { x509: ['go-spiffe', 'crypto/x509'], jwt: ['go-spiffe'] }

test('[IDOUT-01] Python cryptography and py-spiffe read the chains as we do', async () => {
  const rows = distinct(chainRows(world))
  judge(rows, await byPython(rows.map((row) => row.case)), PYTHON_READERS)
})

test('[IDOUT-03] py-spiffe and PyJWT read the JWT-SVIDs as we do', async () => {
  const rows = distinct(tokenRows(world))
  judge(rows, await byPython(rows.map((row) => row.case)), PYTHON_READERS)
})

test('[IDOUT-01] [IDOUT-03] go-spiffe and crypto/x509 read bundles, chains and JWT-SVIDs as we do', async (t) => {
  if (goRead === null) return t.skip('needs Go 1.24')
  const rows = distinct([...chainRows(world), ...tokenRows(world)])
  judge(rows, await goRead(rows.map((row) => row.case)), GO_READERS)
})

const write = (name: string, text: string): string => {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}
const rootsOf = (bundle: string): readonly string[] =>
  (JSON.parse(bundle) as { keys: { x5c?: [string] }[] }).keys
    .flatMap(({ x5c }) => x5c ?? [])
    .map((root) => new X509Certificate(Buffer.from(root, 'base64')).toString())

test('[IDOUT-01] openssl, strictly: the chain of each agent for both sides of TLS, in its time, under its own root', async () => {
  const { first, renewed, revoked, foreign, at } = world
  const roots = (given: string, name: string): string => write(`${name}.pem`, rootsOf(given).join(''))
  const [own, later, none] = [roots(first.bundle, 'own'), roots(revoked, 'later'), roots(foreign.bundle, 'foreign')]
  for (const [given, good, bad] of [
    [first, own, later],
    [renewed, later, own],
  ] as const)
    for (const { agent, chain } of given.held) {
      const file = write(`${given.stage}-${agent}.pem`, chain)
      const ask = (root: string, ...words: string[]): Promise<string> =>
        openssl(['-CAfile', root, '-attime', String(at), ...words, '-untrusted', file, file])
      const said = async (...words: string[]): Promise<string> => await ask(good, ...words)
      const rows: readonly (readonly [what: string, said: string, expected: RegExp])[] = [
        ['now', await said(), /^ok$/],
        ['as a client', await said('-purpose', 'sslclient'), /^ok$/],
        ['as a server', await said('-purpose', 'sslserver'), /^ok$/],
        ['for mail', await said('-purpose', 'smimesign'), /unsuitable certificate purpose/],
        ['as a signer of lists', await said('-purpose', 'crlsign'), /unsuitable certificate purpose/],
        ['after its end', await said('-attime', String(at + 400)), /has expired/],
        ['before its beginning', await said('-attime', String(at - 3_600)), /not yet valid/],
        ['under the root of the other key', await ask(bad), /unable to get local issuer certificate/],
        ['under the root of another CA', await ask(none), /unable to get local issuer certificate/],
        ['without its issuer', await openssl(['-CAfile', good, file]), /unable to get local issuer certificate/],
      ]
      for (const [what, answer, expected] of rows) assert.match(answer, expected, `${given.stage} ${agent} ${what}`)
    }
})

test('[IDOUT-02] pkilint finds no fault in any certificate, alone or under its signer', async () => {
  const { first, renewed } = world
  const pairs = [first, renewed].flatMap(({ stage, bundle, held }) => {
    const all = rootsOf(bundle).map((pem, at) => [pem, write(`${stage}-root-${at}.pem`, pem)] as const)
    const roots = all.map(([, file]) => [file, '-'] as const)
    const below = held.flatMap(({ agent, chain }) => {
      const [leaf = '', issuer = ''] = pemsOf(chain)
      const [, root = ''] = all.find(([pem]) => new X509Certificate(issuer).checkIssued(new X509Certificate(pem))) ?? []
      const [leafFile, issuerFile] = [
        write(`${stage}-${agent}-leaf.pem`, leaf),
        write(`${stage}-${agent}-issuer.pem`, issuer),
      ]
      return [[issuerFile, root] as const, [leafFile, issuerFile] as const]
    })
    return [...roots, ...below]
  })
  const linted = await lint(pairs)
  assert.equal(linted.length, pairs.length)
  for (const { file, findings, excused } of linted) assert.deepEqual([findings, excused], [[], 1], file)
})
