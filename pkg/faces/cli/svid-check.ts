import { SallyportError } from '#pkg/model/errors'
import { isTrustDomain, readBundle, verifyJwtSvid, verifyX509Svid } from '#pkg/systems/identity'

/** What a file is verified with. `audience`: of a JWT-SVID. */
export type SvidCheck = { readonly bundle: string; readonly trustDomain: string; readonly audience: string | null }

/** The outcome, as `identity verify -o json` prints it. Times are RFC 3339. */
export type SvidFound =
  | {
      readonly ok: true
      readonly kind: 'X509Svid' | 'JwtSvid'
      readonly spiffeId: string
      readonly notAfter: string
      readonly epoch: number | null
      readonly serial: string
    }
  | { readonly ok: false; readonly kind: 'X509Svid' | 'JwtSvid'; readonly reason: string }

const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g

/**
 * Verifies a chain in PEM or a JWT-SVID.
 * @throws SallyportError RESOURCE_INVALID: the bundle is none, or the text is neither. USAGE: no audience for a token.
 */
export async function verifyText(text: string, check: SvidCheck): Promise<SvidFound> {
  if (!isTrustDomain(check.trustDomain))
    throw new SallyportError('USAGE', '--trust-domain is no name of a trust domain')
  const bundle = readBundle(check.trustDomain, check.bundle)
  if (typeof bundle === 'string')
    throw new SallyportError(
      'RESOURCE_INVALID',
      `the trust bundle is none: ${bundle}; it must be a JWK Set with "keys"`,
    )
  const nowMs = Date.now()
  const chain = [...text.matchAll(PEM)].map(([, body = '']) => Buffer.from(body, 'base64'))
  if (chain.length > 0) {
    const verdict = verifyX509Svid(chain, bundle, nowMs)
    if (!verdict.ok) return { ok: false, kind: 'X509Svid', reason: verdict.reason }
    const { spiffeId, expiresMs, serial, agent } = verdict.svid
    return { ok: true, kind: 'X509Svid', spiffeId, notAfter: timeOf(expiresMs), epoch: agent?.epoch ?? null, serial }
  }
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(text))
    throw new SallyportError('RESOURCE_INVALID', 'the file holds neither certificates in PEM nor a JWT-SVID')
  if (check.audience === null)
    throw new SallyportError('USAGE', 'a JWT-SVID is for somebody: give --audience, the SPIFFE ID that it must name')
  const verdict = verifyJwtSvid(text, { bundle, audience: check.audience, nowMs })
  if (!verdict.ok) return { ok: false, kind: 'JwtSvid', reason: verdict.reason }
  const { spiffeId, expiresMs, epoch, jti } = verdict.svid
  return { ok: true, kind: 'JwtSvid', spiffeId, notAfter: timeOf(expiresMs), epoch, serial: jti }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()
