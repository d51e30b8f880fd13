import type { AgentKey } from '#pkg/model'
import { agentRefOf } from '#pkg/model'

declare const spiffeId: unique symbol

/** A SPIFFE ID that was read by {@link readSpiffeId}: ASCII, nothing in it can be read in two ways. */
export type SpiffeId = string & { readonly [spiffeId]: true }

/** The parts of a SPIFFE ID. `segments` is empty for a trust domain. */
export type SpiffeIdParts = {
  readonly id: SpiffeId
  readonly trustDomain: string
  readonly segments: readonly string[]
}

/** Why a text is no SPIFFE ID. */
export type SpiffeIdFault = 'TOO_LONG' | 'SCHEME' | 'TRUST_DOMAIN' | 'PATH'

/** Bytes of an ID, and of the trust domain in it. SPIFFE-ID §2.3. */
export const SPIFFE_ID_BYTES = 2_048
const TRUST_DOMAIN_BYTES = 255

const SCHEME = 'spiffe://'
const TRUST_DOMAIN = /^[a-z0-9._-]+$/
const SEGMENT = /^[A-Za-z0-9._-]+$/

/** Reads a SPIFFE ID. Nothing is decoded, folded or repaired: what is not written in its one form is a fault. SPIFFE-ID §2. */
export function readSpiffeId(text: string): SpiffeIdParts | SpiffeIdFault {
  if (text.length > SPIFFE_ID_BYTES) return 'TOO_LONG'
  if (!text.startsWith(SCHEME)) return 'SCHEME'
  const [trustDomain = '', ...segments] = text.slice(SCHEME.length).split('/')
  if (!isTrustDomain(trustDomain)) return 'TRUST_DOMAIN'
  for (const segment of segments) if (!SEGMENT.test(segment) || segment === '.' || segment === '..') return 'PATH'
  return { id: text as SpiffeId, trustDomain, segments } // the only place that brands what was read
}

/** True for a name that may stand after `spiffe://`. */
export function isTrustDomain(text: string): boolean {
  return text.length <= TRUST_DOMAIN_BYTES && TRUST_DOMAIN.test(text)
}

/** `spiffe://DOMAIN`, the ID of those who sign. */
export function trustDomainId(trustDomain: string): string {
  return SCHEME + trustDomain
}

/** `spiffe://DOMAIN/ns/NAMESPACE/agent/NAME`. MESH.md §1. Namespace and name are DNS labels, so the result always reads. */
export function agentSpiffeId(trustDomain: string, agent: AgentKey): SpiffeId {
  const { namespace, name } = agentRefOf(agent)
  return `${SCHEME}${trustDomain}/ns/${namespace}/agent/${name}` as SpiffeId // made of labels, which are segments
}
