/** A CA in a folder of its own, with the real worker's code in this thread, and a clock that only tests move. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentKeyOf, type NewAuditEvent } from '#pkg/model'
import { newManualClock } from '#pkg/platform/clock'
import { type Disk, systemDisk } from '#pkg/platform/files'
import { type Log, silentLog } from '#pkg/platform/log'
import { newAgentKeyPair, signingRequest } from './agent-key.ts'
import { readBundle, type TrustBundle } from './bundle.ts'
import { type Authority, newAuthority } from './server/authority.ts'
import { workOf } from './server/ca-work.ts'
import type { CaWorker } from './server/contract.ts'
import { newFileKeyManager } from './server/key-manager.ts'
import { agentSpiffeId } from './spiffe-id.ts'

export const DOMAIN = 'sallyport.local'
export const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })
export const ID = agentSpiffeId(DOMAIN, agent)
export const AUDIENCE = agentSpiffeId(DOMAIN, agentKeyOf({ namespace: 'growth', name: 'research' }))
export const UID = '3f0c2b1e-5a77-8d11-9c3e-0123456789ab'
export const NOON = Date.UTC(2026, 0, 31, 12)

export type CaBench = {
  readonly dir: string
  readonly clock: ReturnType<typeof newManualClock>
  readonly audit: NewAuditEvent[]
  /** `event file` of each warning. */
  readonly warnings: string[]
  authority: Authority
  /** The CA of the folder, opened again. */
  reopen(disk?: Disk): Authority
  bundle(): TrustBundle
  close(): void
}

/** `worker`: who does the jobs of the CA; default this thread. */
export type CaBenchOptions = { readonly lifetimeMs?: number; readonly worker?: CaWorker }

export function newCaBench({ worker, ...options }: CaBenchOptions = {}): CaBench {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-ca-'))
  const dir = join(home, 'ca')
  const clock = newManualClock(NOON)
  const audit: NewAuditEvent[] = []
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (event, fields) => void warnings.push(`${event} ${fields?.['file']}`) }
  const open = (disk: Disk = systemDisk): Authority =>
    newAuthority(
      {
        clock,
        log,
        random: (bytes) => randomBytes(bytes),
        audit: { record: (event) => `e_${audit.push(event)}` },
        worker: worker ?? { run: async (job) => workOf(job), close: async () => {} },
        keys: newFileKeyManager({ random: (bytes) => randomBytes(bytes), log, disk }, dir),
        disk,
      },
      { dir, trustDomain: DOMAIN, ...options },
    )
  const bench: CaBench = {
    dir,
    clock,
    audit,
    warnings,
    authority: open(),
    reopen: (disk) => {
      bench.authority = open(disk)
      return bench.authority
    },
    bundle: () => {
      const read = readBundle(DOMAIN, JSON.stringify(bench.authority.bundle()))
      if (typeof read === 'string') throw new Error(read)
      return read
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  }
  return bench
}

export async function withCa(body: (bench: CaBench) => Promise<void>, options = {}): Promise<void> {
  const bench = newCaBench(options)
  try {
    await body(bench)
  } finally {
    bench.close()
  }
}

/** An X.509-SVID of the agent. */
export async function x509Of({ authority }: CaBench, epoch = 1) {
  const key = newAgentKeyPair()
  return { key, issued: await authority.issueX509({ agent, uid: UID, epoch, csr: signingRequest(key, ID) }) }
}

/** A JWT-SVID of the agent. */
export async function jwtOf({ authority }: CaBench, more: { audience?: string; jkt?: string } = {}) {
  const { audience = AUDIENCE, jkt = newAgentKeyPair().jkt } = more
  return await authority.issueJwt({
    agent,
    audience,
    jkt,
    role: 'marketing',
    toolsDigest: 'sha256:x',
    generation: 7,
    epoch: 3,
  })
}
