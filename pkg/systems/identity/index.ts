/**
 * identity: which agent is speaking. In the standalone process that is a local token per agent.
 *
 * In:  the agents of the folder (`ensure`), and the token of a request.
 * Out: the agent that a token belongs to, or null; the token to print on the ready line.
 * Tokens are `sp_vk_` + 40 characters, kept in `DIR/tokens` (0600), the same after a restart and after an agent that
 * goes and comes back; while it is gone its token opens nothing.
 *
 * Never: prints a token into a log or an error, compares tokens character by character, sends one on.
 */

export {
  newProofSigner,
  PROOF_HEADER,
  type ProofContext,
  type ProofSigner,
  type ProofSubject,
  type SignedRequest,
  SVID_HEADER,
  thumbprintOf,
} from './proof.ts'
export { type Delegate, PROOF_MAX_SECONDS, type ProofClaims } from './proof-claims.ts'
export {
  newProofVerifier,
  PROOF_SKEW_SECONDS,
  type ProofAsk,
  type ProofFault,
  type ProofVerifier,
  type Proven,
  type VerifiedSvid,
} from './proof-verify.ts'
export { newReplayCache, type ReplayCache } from './replay.ts'
export * from './tokens.ts'
export { toolDigest } from './tool-digest.ts'
