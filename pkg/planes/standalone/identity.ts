import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { AgentKey, AuditSink, Snapshot, Standing } from '#pkg/model'
import type { Lives, Proofs } from '#pkg/planes/sidecar'
import type { Clock } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import type { Metrics } from '#pkg/platform/metrics'
import type { RandomBytes } from '#pkg/platform/random'
import { type Identities, type IdentitySubject, newIdentities } from '#pkg/systems/identity'
import { type Authority, type CaWorker, newAuthority, newCaPool, newFileKeyManager } from '#pkg/systems/identity/server'
import { agentOfId, newProofs, newVerifier } from './proofs.ts'
import { newSigningFault } from './signing-fault.ts'

/** What the identities of the process rest on. */
export type IdentityDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly random: RandomBytes
  readonly audit: AuditSink
  readonly metrics: Pick<Metrics, 'count'>
  /** Does the work of the CA. Default: a thread. */
  readonly caWorker?: CaWorker
  readonly standingOf: (agent: AgentKey) => Standing | null
  readonly snapshotOf: (agent: AgentKey) => Snapshot | null
}

/** `waitMs`: how long a request waits for an SVID; at the very first start RSA keys are made. */
export type IdentityOptions = { readonly dataDir: string; readonly trustDomain: string; readonly waitMs: number }

/** Identity in one process: the CA, the SVIDs of its agents, and proofs between them. */
export type Identity = {
  readonly authority: Authority
  readonly identities: Identities
  readonly proofs: Proofs
  /** True while the agent has an SVID of this epoch that is not over. */
  holds(agent: AgentKey): boolean
  /** Waits for the SVID of an agent; null = nothing to wait for. Resolves after `identityWaitMs` at the latest, never rejects. */
  pending(agent: AgentKey): Promise<void> | null
  /** Does an SVID of that epoch still count: is its agent active, and not revoked since? */
  isCurrent(spiffeId: string, epoch: number): boolean
  /** Of a released agent: is the fresh key there? */
  thaw(agent: AgentKey, epoch: number): Promise<boolean>
  /** Why identities are not signed, or null. */
  fault(): string | null
  /** Makes the keys of the CA where there are none, behind the start of the rest. */
  begin(): void
  close(): Promise<void>
}

const MAINTAIN_MS = 3_600_000

/** Opens the CA in `DATA/ca`. @throws SallyportError STATE_UNAVAILABLE: its journal cannot be read, or is of another trust domain. */
export function openIdentity(deps: IdentityDeps, { dataDir, trustDomain, waitMs }: IdentityOptions): Identity {
  const { clock, log, random, audit } = deps
  const dir = join(dataDir, 'ca')
  const worker = deps.caWorker ?? newCaPool(deps)
  const keys = newFileKeyManager({ random, log }, dir)
  const authority = newAuthority({ clock, log, random, audit, worker, keys }, { dir, trustDomain })
  const chance = (): number => (random(1)[0] ?? 0) / 255
  const subjectOf = newSubjects(deps)
  const identities = newIdentities({ clock, log, chance, issuer: authority, trustDomain, subjectOf })
  const verifier = newVerifier(deps, authority)
  const fault = newSigningFault(log)
  const get = async (agent: AgentKey) => {
    try {
      const identity = await identities.get(agent)
      if (identity === null) await authority.ready() // it may not act any more: whether others could is the question
      fault.worked()
      return identity
    } catch (error) {
      deps.metrics.count('sallyport_issuance_failures_total', { credential: 'X509Svid' })
      fault.failed('identity-not-signed', { agent, error }, () => void get(agent))
      return null
    }
  }
  const begin = (): void => {
    authority
      .ready()
      .then(() => authority.maintain())
      .then(
        () => fault.worked(),
        (error: unknown) => fault.failed('ca-not-ready', { error }, begin),
      )
  }
  authority.onChange(() => {
    verifier.forget()
    for (const { id, state } of authority.status().slots)
      if (state === 'Tainted' || state === 'Revoked') identities.renewFrom(id)
  })
  const upkeep = setInterval(() => {
    authority.maintain().catch((error: unknown) => log.error('ca-upkeep-failed', { error }))
  }, MAINTAIN_MS).unref()
  return {
    authority,
    identities,
    proofs: newProofs({
      ...deps,
      get,
      toolsOf: (agent) => subjectOf(agent)?.tools ?? null,
      identities,
      verifier,
      trustDomain,
    }),
    holds: (agent) => identities.held(agent) !== null,
    pending: (agent) =>
      subjectOf(agent) === null || identities.held(agent) !== null ? null : atMost(get(agent), waitMs),
    isCurrent: (spiffeId, epoch) => {
      const agent = agentOfId(spiffeId)
      const standing = agent === null ? null : deps.standingOf(agent)
      return standing?.state === 'Active' && standing.epoch === epoch
    },
    thaw: async (agent, epoch) => (await get(agent))?.epoch === epoch,
    fault: () => fault.text,
    begin,
    close: async () => {
      fault.close()
      clearInterval(upkeep)
      identities.close()
      await authority.close()
    },
  }
}

/** Lives as the path sees them: an agent that holds no valid SVID may not act. MESH.md §1, "a local comparison". */
export function livesWithIdentity<L extends Lives>(lives: L, identity: Pick<Identity, 'holds' | 'pending'>): Lives {
  return {
    standingOf: (agent) => {
      const standing = lives.standingOf(agent)
      if (standing?.state !== 'Active' || standing.thawing === true || identity.holds(agent)) return standing
      return { ...standing, thawing: true }
    },
    pending: (agent) => identity.pending(agent),
    sever: (agent, why) => lives.sever(agent, why),
    get healthy() {
      return lives.healthy
    },
  }
}

/** Only an active agent has one; its tools are those of its grants. Asked at every admission: made once for each snapshot and epoch. */
function newSubjects({ standingOf, snapshotOf }: IdentityDeps): (agent: AgentKey) => IdentitySubject | null {
  const made = new WeakMap<Snapshot, IdentitySubject>()
  return (agent) => {
    const standing = standingOf(agent)
    const snapshot = snapshotOf(agent)
    if (standing?.state !== 'Active' || snapshot === null) return null
    const known = made.get(snapshot)
    if (known?.epoch === standing.epoch) return known
    const { generation, role, grants } = snapshot
    const tools = grants.map(({ name }) => name)
    const subject = { uid: known?.uid ?? uidOf(agent), epoch: standing.epoch, generation, role, tools }
    made.set(snapshot, subject)
    return subject
  }
}

/** The same for the same name: a folder knows of no other uid. RFC 9562 §5.8. */
function uidOf(agent: AgentKey): string {
  const bytes = createHash('sha256').update(`sallyport agent ${agent}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
