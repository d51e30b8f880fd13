/**
 * What identities cost, each beside the bare signature or verification of the same bytes by node:crypto, in turns, in one
 * process. `identity.ts [--quick]` prints its rows as JSON. docs/performance.md.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { agentKeyOf } from '#pkg/model'
import { newManualClock, systemClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import {
  agentSpiffeId,
  newProofSigner,
  newProofVerifier,
  newReplayCache,
  readBundle,
  toolDigest,
  verifyJwtSvid,
} from '#pkg/systems/identity'
import { type Authority, newAuthority, newCaPool, newFileKeyManager } from '#pkg/systems/identity/server'
import { newAgentKeyPair, signingRequest } from '../../pkg/systems/identity/agent-key.ts'
import { type Row, row } from './report.ts'
import { quantile } from './stats.ts'

/** Rounds of each job and its baseline, and how long a turn lasts, ms. */
export type IdentityPlan = { readonly rounds: number; readonly turnMs: number }
export const IDENTITY_FULL: IdentityPlan = { rounds: 5, turnMs: 300 }
export const IDENTITY_QUICK: IdentityPlan = { rounds: 2, turnMs: 100 }

/** One thing that is done, and the least that node:crypto does for it. `inFlight`: at a time while the rate is measured. */
type Job = { readonly name: string; readonly inFlight: number; own(): unknown; bare(): unknown }

const IN_FLIGHT = 16
const caller = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const DOMAIN = 'sallyport.local'
const ID = agentSpiffeId(DOMAIN, caller)
const AUDIENCE = agentSpiffeId(DOMAIN, agentKeyOf({ namespace: 'growth', name: 'research' }))
const TOOLS = Array.from({ length: 16 }, (_, at) => `tool_${at}`)
const REQUEST = { method: 'POST', path: '/agents/growth/research/a2a', body: Buffer.alloc(1_024, 0x61) }
/** Bytes of a leaf that are signed. */
const TBS_BYTES = 520
const P1363 = 'ieee-p1363'
const random = (bytes: number): Buffer => randomBytes(bytes)

/** All rows, in about 14 turns a round, and as much again as three rounds to get warm. */
export async function measureIdentity(plan: IdentityPlan): Promise<readonly Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-bench-identity-'))
  const dir = join(home, 'ca')
  const common = { log: silentLog, random }
  const worker = newCaPool({ clock: systemClock, log: silentLog })
  const authority = newAuthority(
    { clock: systemClock, audit: { record: () => 'e' }, worker, keys: newFileKeyManager(common, dir), ...common },
    { dir, trustDomain: DOMAIN },
  )
  try {
    await authority.ready()
    const jobs = [...(await caJobs(authority)), ...(await proofJobs(authority))]
    const rows: Row[] = []
    for (const job of jobs) rows.push(...(await rowsOfJob(job, plan)))
    return rows
  } finally {
    await authority.close()
    rmSync(home, { recursive: true, force: true })
  }
}

const newJwt = (authority: Authority, jkt: string) => {
  const about = { agent: caller, role: 'marketing', generation: 1, epoch: 1, toolsDigest: toolDigest(TOOLS) }
  return authority.issueJwt({ ...about, audience: AUDIENCE, jkt })
}

/** The whole way in this process: key, request, the CA's thread and back. */
async function caJobs(authority: Authority): Promise<readonly Job[]> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const { jkt } = newAgentKeyPair()
  const [text] = partsOf((await newJwt(authority, jkt)).token)
  const tbs = random(TBS_BYTES)
  const issueX509 = () =>
    authority.issueX509({ agent: caller, uid: 'u-1', epoch: 1, csr: signingRequest(newAgentKeyPair(), ID) })
  return [
    { name: 'x509-svid', inFlight: IN_FLIGHT, own: issueX509, bare: () => sign('sha256', tbs, privateKey) },
    {
      name: 'jwt-svid',
      inFlight: IN_FLIGHT,
      own: () => newJwt(authority, jkt),
      bare: () => sign('sha256', text, privateKey),
    },
  ]
}

/** Proofs of one agent for another. The clock of the verifier stands still, so that one proof serves all rounds. */
async function proofJobs(authority: Authority): Promise<readonly Job[]> {
  const clock = newManualClock(Date.now())
  const key = newAgentKeyPair()
  const { token } = await newJwt(authority, key.jkt)
  const signer = newProofSigner({ clock, random })
  const subject = { spiffeId: ID, key: key.privateKey, jwk: key.jwk, jwtSvid: token, tools: TOOLS }
  const context = { audience: AUDIENCE, session: null, chain: [], delegated: TOOLS.slice(0, 1), taint: [] }
  const prove = (): string => signer.sign(subject, context, REQUEST)
  const proof = prove()
  const verifySvid = svidVerifier(authority, clock)
  const replay = newReplayCache({ clock })
  let names = 0
  const newVerifier = () =>
    newProofVerifier({
      clock,
      verifySvid,
      oldestOf: () => ({ epoch: 0, generation: 0 }),
      replay: { take: () => replay.take(String(names++)) },
    })
  const warm = newVerifier()
  const ask = { request: REQUEST, proof, svid: token, audience: AUDIENCE, peerKey: null }
  const [[tokenText, tokenMac], [text, mac]] = [partsOf(token), partsOf(proof)]
  const jwtKey = createPublicKey({
    format: 'jwk',
    key: { ...authority.bundle().keys.find(({ kid }) => kid !== undefined) },
  })
  const proofKey = { key: createPublicKey({ format: 'jwk', key: key.jwk }), dsaEncoding: P1363 } as const
  const bareToken = (): boolean => verify('sha256', tokenText, jwtKey, tokenMac)
  const bareProof = (): boolean => verify('sha256', text, proofKey, mac)
  const signing = { key: key.privateKey, dsaEncoding: P1363 } as const
  return [
    { name: 'jwt-svid-verify', own: () => sure(verifySvid(token, AUDIENCE) !== null), bare: () => sure(bareToken()) },
    { name: 'proof-sign', own: prove, bare: () => sign('sha256', text, signing) },
    {
      name: 'proof-verify-cold',
      own: () => sure(newVerifier().verify(ask).ok),
      bare: () => sure(bareToken() && bareProof()),
    },
    { name: 'proof-verify', own: () => sure(warm.verify(ask).ok), bare: () => sure(bareProof()) },
  ].map((job) => ({ inFlight: 1, ...job }))
}

function svidVerifier(authority: Authority, clock: { nowMs(): number }) {
  const bundle = readBundle(DOMAIN, JSON.stringify(authority.bundle()))
  if (typeof bundle === 'string') throw new Error(bundle)
  return (token: string, audience: string) => {
    const verdict = verifyJwtSvid(token, { bundle, audience, nowMs: clock.nowMs() })
    return verdict.ok ? verdict.svid : null
  }
}

function partsOf(token: string): readonly [text: Buffer, mac: Buffer] {
  const at = token.lastIndexOf('.')
  return [Buffer.from(token.slice(0, at)), Buffer.from(token.slice(at + 1), 'base64url')]
}

function sure(isTrue: boolean): void {
  if (!isTrue) throw new Error('the bench measures what does not verify')
}

type Samples = { readonly micros: number[]; done: number; elapsedMs: number }

async function rowsOfJob(
  { name, inFlight, own, bare }: Job,
  { rounds, turnMs }: IdentityPlan,
): Promise<readonly Row[]> {
  const samples = (): Samples => ({ micros: [], done: 0, elapsedMs: 0 })
  const [ours, theirs] = [samples(), samples()]
  await turn(own, 3 * turnMs, samples()) // warm
  await turn(bare, 3 * turnMs, samples())
  for (let round = 0; round < rounds; round += 1) {
    await turn(bare, turnMs, theirs)
    await turn(own, turnMs, ours)
    if (inFlight > 1) await together(own, inFlight, turnMs, ours)
  }
  const [half, most] = [(of: Samples) => quantile(of.micros, 0.5), (of: Samples) => quantile(of.micros, 0.99)]
  const rateOf = ({ micros, done, elapsedMs }: Samples): number =>
    done > 0 ? (done * 1_000) / elapsedMs : (micros.length * 1e6) / micros.reduce((sum, each) => sum + each, 0)
  const rows = (['crypto', 'sallyport'] as const).flatMap((system) => {
    const of = system === 'crypto' ? theirs : ours
    return [
      row(system, name, 'op_rate', rateOf(of)),
      row(system, name, 'op_p50', half(of)),
      row(system, name, 'op_p99', most(of)),
    ]
  })
  return [...rows, row('sallyport', name, 'op_ratio', half(ours) / half(theirs))]
}

/** One after the other, each timed. */
async function turn(run: () => unknown, turnMs: number, into: Samples): Promise<void> {
  const end = performance.now() + turnMs
  for (let from = performance.now(); from < end; ) {
    const result = run()
    if (result instanceof Promise) await result
    const to = performance.now()
    into.micros.push((to - from) * 1_000)
    from = to
  }
}

/** Several at a time, counted. */
async function together(run: () => unknown, inFlight: number, turnMs: number, into: Samples): Promise<void> {
  const from = performance.now()
  const loop = async (): Promise<void> => {
    while (performance.now() - from < turnMs) {
      await run()
      into.done += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  into.elapsedMs += performance.now() - from
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' } } })
  console.log(JSON.stringify(await measureIdentity(values.quick ? IDENTITY_QUICK : IDENTITY_FULL)))
}
