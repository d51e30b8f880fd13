/**
 * sidecar: the egress path, assembled: facade → codec → firewall → policy → enforce → upstream.
 *
 * In:  a roster (whose token, which rules), the lives of agents, a sink for verdicts, the providers' addresses.
 * Out: a facade that agents talk to; `egress.ts` spells the path of one request in one function.
 * Never: Kubernetes, a policy file, a decision of its own; an answer whose verdict could not be written down.
 */
export { type Egress, newEgress, type Rejected } from './egress.ts'
export { type OwnedUrls, ownedFindings } from './owned.ts'
export type {
  Caller,
  EgressDeps,
  FacadeRoute,
  Lives,
  Loaded,
  ProofAudience,
  Proofs,
  ProvenRequest,
  Roster,
  VerdictSink,
} from './ports.ts'
export {
  type Checks,
  dialectNames,
  facadeRoutes,
  newChecks,
  newSidecar,
  type Sidecar,
  type SidecarDeps,
  type SidecarOptions,
} from './sidecar.ts'
