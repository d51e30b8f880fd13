/**
 * upstream: opens the provider's side of an exchange and streams its answer back.
 *
 * In:  a Permit and an UpstreamAsk whose header rules are already applied.
 * Out: an UpstreamLeg: status, headers, and the body's bytes as they arrive, pulled by the reader.
 * Dials only for a Permit that is live, asked again at the very write of the request. Keep-alive, one exchange per
 * connection at a time (HTTP/2: one per stream), at most `bufferBytes` plus one read held for a reader that is slow
 * (HTTP/2: plus a window); a cancel closes the connection, or resets the stream, at once (WIRE.md rule 13). Nothing is tried twice: a POST whose connection dies may have been acted on.
 *
 * Never: reads the body's meaning, follows a redirect, decodes, prints or forwards an agent's token, logs a key.
 */
export { type DialDeps, newDial } from './dial.ts'
export { type Hosts, type HostsOptions, newHosts } from './hosts.ts'
export { isPermitStale, PermitStaleError } from './permit-stale.ts'
export type { KeyHeader } from './request-headers.ts'
export { type Lookup, newResolve, type Resolve, type Resolved, type ResolveOptions, systemLookup } from './resolve.ts'
export { newUpgrade, type UpgradeOptions } from './upgrade.ts'
export {
  type KeyUse,
  newUpstream,
  type ProviderTarget,
  type Upstream,
  type UpstreamDeps,
  type UpstreamOptions,
} from './upstream.ts'
