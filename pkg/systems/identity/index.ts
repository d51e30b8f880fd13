/**
 * identity: which agent is speaking, and how it proves that to others. The sidecar's half; the CA is in `server`.
 *
 * In:  the agents of the folder (`ensure`), the token of a request; a CA that signs; proofs and credentials of others.
 * Out: the agent that a local token belongs to, or null; SVIDs of agents, renewed at half of their life; proofs, and who
 *      sent one; what an X.509-SVID or a JWT-SVID says, once it verified against a trust bundle.
 * Tokens are `sp_vk_` + 40 characters, kept in `DIR/tokens` (0600), the same after a restart and after an agent that
 * goes and comes back; while it is gone its token opens nothing. Keys of agents are in memory alone.
 *
 * Never: prints a token or a key into a log or an error, compares tokens character by character, sends one on.
 */
export {
  type BundleDocument,
  type BundleFault,
  readBundle,
  type TrustBundle,
} from './bundle.ts'
export { type Identities, type Identity, type IdentitySubject, newIdentities } from './identities.ts'
export { type JwtFault, type JwtVerdict, type VerifiedJwtSvid, verifyJwtSvid } from './jwt-svid.ts'
export {
  newProofSigner,
  PROOF_HEADER,
  type ProofContext,
  type ProofSigner,
  type ProofSubject,
  SVID_HEADER,
  thumbprintOf,
} from './proof.ts'
export {
  newProofVerifier,
  type ProofAsk,
  type ProofFault,
  type ProofVerifier,
  type Proven,
  type VerifiedSvid,
} from './proof-verify.ts'
export { newReplayCache, type ReplayCache } from './replay.ts'
export { agentSpiffeId, isTrustDomain, readSpiffeId, type SpiffeId } from './spiffe-id.ts'
export * from './tokens.ts'
export { toolDigest } from './tool-digest.ts'
export type { WorkloadBundle, WorkloadSource } from './workload.ts'
export { type VerifiedX509Svid, verifyX509Svid, type X509Fault, type X509Verdict } from './x509-svid.ts'

/** The SPIFFE Workload API. Loaded when it is served: its messages cost a start that nobody else should wait for. */
export function loadWorkloadApi(): Promise<typeof import('./workload.ts')> {
  return import('./workload.ts')
}
