import { type AgentKey, agentKeyOf, type Finding, findingOf, type Snapshot, type Standing } from '#pkg/model'
import type { Proofs } from '#pkg/planes/sidecar'
import type { Clock } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import type { Metrics } from '#pkg/platform/metrics'
import type { RandomBytes } from '#pkg/platform/random'
import {
  agentSpiffeId,
  type Identities,
  newProofSigner,
  newProofVerifier,
  newReplayCache,
  PROOF_HEADER,
  type ProofVerifier,
  readBundle,
  readSpiffeId,
  SVID_HEADER,
  type TrustBundle,
  verifyJwtSvid,
} from '#pkg/systems/identity'
import type { Authority } from '#pkg/systems/identity/server'

/** By what a proof is held current. */
export type VerifierDeps = {
  readonly clock: Clock
  readonly standingOf: (agent: AgentKey) => Standing | null
  readonly snapshotOf: (agent: AgentKey) => Snapshot | null
}

/** Verifies proofs by the trust bundle as it is now, and by how agents of this folder stand. */
export function newVerifier(deps: VerifierDeps, authority: Authority): ProofVerifier {
  let bundle: TrustBundle | null = null
  authority.onChange(() => {
    bundle = null
  })
  const bundleNow = (): TrustBundle | null => {
    if (bundle !== null) return bundle
    const read = readBundle(authority.trustDomain, JSON.stringify(authority.bundle()))
    if (typeof read !== 'string') bundle = read
    return bundle
  }
  return newProofVerifier({
    clock: deps.clock,
    replay: newReplayCache({ clock: deps.clock }),
    verifySvid: (token, audience) => {
      const trusted = bundleNow()
      if (trusted === null) return null
      const verdict = verifyJwtSvid(token, { bundle: trusted, audience, nowMs: deps.clock.nowMs() })
      return verdict.ok ? verdict.svid : null
    },
    oldestOf: (spiffeId) => {
      const agent = agentOfId(spiffeId)
      const standing = agent === null ? null : deps.standingOf(agent)
      const snapshot = agent === null ? null : deps.snapshotOf(agent)
      if (standing?.state !== 'Active' || snapshot === null) return null
      return { epoch: standing.epoch, generation: snapshot.generation }
    },
  })
}

/** The agent of `spiffe://DOMAIN/ns/NAMESPACE/agent/NAME`, or null. */
export function agentOfId(spiffeId: string): AgentKey | null {
  const read = readSpiffeId(spiffeId)
  if (typeof read === 'string') return null
  const [ns, namespace, kind, name, ...more] = read.segments
  if (ns !== 'ns' || kind !== 'agent' || namespace === undefined || name === undefined || more.length > 0) return null
  return agentKeyOf({ namespace, name })
}

/** What proofs are made of. `get`: the identity of an agent now, or null; `toolsOf`: what it is granted, or null where it may not act. */
export type ProofParts = Pick<VerifierDeps, 'clock'> & {
  readonly log: Log
  readonly random: RandomBytes
  readonly metrics: Pick<Metrics, 'count'>
  readonly get: (agent: AgentKey) => ReturnType<Identities['get']>
  readonly toolsOf: (agent: AgentKey) => readonly string[] | null
  readonly identities: Identities
  readonly verifier: ProofVerifier
  readonly trustDomain: string
}

/** Proofs of the agents of this process, and who sent one. */
export function newProofs({ get, toolsOf, identities, verifier, trustDomain, ...deps }: ProofParts): Proofs {
  const signer = newProofSigner(deps)
  const idOf = (to: Parameters<Proofs['verify']>[0]): string =>
    to === 'control-plane' ? `spiffe://${trustDomain}/ns/sallyport-system/operator` : agentSpiffeId(trustDomain, to)
  return {
    prove: async (agent, to, request) => {
      const identity = await get(agent)
      const tools = toolsOf(agent)
      if (identity === null || tools === null) return null
      const audience = idOf(to)
      try {
        const { token: jwtSvid } = await identities.tokenFor(identity, audience)
        const { spiffeId, key } = identity
        const signed = { spiffeId, key: key.privateKey, jwk: key.jwk, jwtSvid, tools }
        const context = { audience, session: null, chain: [], delegated: [], taint: [] }
        return { [PROOF_HEADER]: signer.sign(signed, context, request), [SVID_HEADER]: jwtSvid }
      } catch (error) {
        deps.metrics.count('sallyport_issuance_failures_total', { credential: 'JwtSvid' })
        deps.log.warn('proof-not-made', { agent, audience, error })
        return null
      }
    },
    token: async (agent, audience) => {
      const identity = await get(agent)
      if (identity === null) return null
      try {
        return (await identities.tokenFor(identity, audience)).token
      } catch (error) {
        deps.metrics.count('sallyport_issuance_failures_total', { credential: 'JwtSvid' })
        deps.log.warn('jwt-svid-not-made', { agent, audience, error })
        return null
      }
    },
    verify: (to, request, headers) => {
      const [proof, svid] = [PROOF_HEADER, SVID_HEADER].map((name) => headers[name])
      const given = { proof: textOf(proof), svid: textOf(svid), audience: idOf(to), peerKey: null }
      const proven = verifier.verify({ request, ...given })
      if (!proven.ok) return { ok: false, finding: findingOf(proven.reason, 0, proven.detail) }
      const agent = agentOfId(proven.caller)
      return agent === null ? { ok: false, finding: NO_AGENT } : { ok: true, agent, spiffeId: proven.caller }
    },
  }
}

const NO_AGENT: Finding = findingOf('IDENTITY_PROOF_INVALID', 0, 'is of somebody who is no agent')

/** A header that came once. */
function textOf(value: string | readonly string[] | undefined): string | null {
  return typeof value === 'string' ? value : null
}
