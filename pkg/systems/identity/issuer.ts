import type { AgentKey } from '#pkg/model'

/** Whose certificate is asked for, with the signing request of its key. */
export type X509Ask = {
  readonly agent: AgentKey
  readonly uid: string
  readonly epoch: number
  readonly csr: Uint8Array
}

/** An X.509-SVID. `chain`: DER, leaf, then issuer. */
export type X509Held = {
  readonly chain: readonly [Uint8Array, Uint8Array]
  readonly serial: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** The key of the CA that signed it. */
  readonly slot: string
}

/** Whose token is asked for, and for whom. */
export type JwtAsk = {
  readonly agent: AgentKey
  readonly audience: string
  /** Further audiences of the same token. Default none. */
  readonly others?: readonly string[]
  /** Thumbprint of the agent's key, which the token is bound to. RFC 7638. */
  readonly jkt: string
  readonly role: string
  readonly toolsDigest: string
  readonly generation: number
  readonly epoch: number
}

/** A JWT-SVID. */
export type JwtHeld = {
  readonly token: string
  readonly expiresMs: number
  readonly jti: string
  /** The key of the CA that signed it. */
  readonly slot: string
}

/** Who signs: the CA, here or across the wire. */
export interface IdentityIssuer {
  /** @throws SallyportError CSR_REFUSED, STATE_UNAVAILABLE, OVERLOADED */
  issueX509(ask: X509Ask): Promise<X509Held>
  /** @throws SallyportError STATE_UNAVAILABLE, OVERLOADED */
  issueJwt(ask: JwtAsk): Promise<JwtHeld>
}
