import type { AgentKey, HoldSource, LifecycleState } from './agent.ts'
import type { VerdictRecord } from './verdict.ts'

/** What every event of the audit log carries. DESIGN §14. */
type Stamp = {
  /** `v_…` of a verdict, `e_…` of everything else; nobody can guess one. */
  readonly id: string
  /** RFC 3339. */
  readonly time: string
}

/** An agent came from one state into another. DESIGN §5. */
export type MoveEvent = Stamp & {
  readonly kind: 'move'
  readonly agent: AgentKey
  /** null = the agent was not known before. */
  readonly from: LifecycleState | null
  readonly to: LifecycleState
  /** The epoch after the move. */
  readonly epoch: number
  /** Who: `File` = the ceiling of an Agent file; else who raised or released the hold. */
  readonly source: HoldSource | 'File'
  /** The person or account that asked, as the edge names it (`local`, `socket:uid=0`); null for the firewall and a file. */
  readonly by: string | null
  /** A reason code for the firewall, else null. */
  readonly code: string | null
  /** What the person wrote, else null. At most 512 characters. */
  readonly reason: string | null
  readonly verdictId: string | null
}

/** A credential was signed. Neither key nor token is ever in it. MESH.md §1. */
export type IssuanceEvent = Stamp & {
  readonly kind: 'issuance'
  readonly agent: AgentKey
  readonly credential: 'X509Svid' | 'JwtSvid'
  readonly spiffeId: string
  /** Serial number in hexadecimal, or the token's `jti`. */
  readonly serial: string
  /** RFC 3339. */
  readonly notAfter: string
  readonly epoch: number
  /** The CA slot that signed. */
  readonly slot: string
  /** Of a JWT-SVID, else null. */
  readonly audience: string | null
}

/** The process put a provider's key into a request of an agent. Only its name is kept. DESIGN §10. */
export type KeyUseEvent = Stamp & {
  readonly kind: 'key-use'
  readonly agent: AgentKey
  readonly provider: string
  /** Name of the key (`OPENAI_API_KEY`), never the key. */
  readonly key: string
}

/** A signing key of the CA moved from one state to the next. MESH.md §1. */
export type CaEvent = Stamp & {
  readonly kind: 'ca'
  readonly authority: 'X509' | 'Jwt'
  readonly slot: string
  /** null = it was made. */
  readonly from: CaSlotState | null
  readonly to: CaSlotState
  readonly by: string | null
  readonly reason: string | null
}

/** The states of a signing key, in the order of a life; `Tainted` and `Revoked` are the way out in trouble. */
export const CA_SLOT_STATES = ['Prepared', 'Published', 'Active', 'Retired', 'Tainted', 'Revoked'] as const

/** One of {@link CA_SLOT_STATES}. */
export type CaSlotState = (typeof CA_SLOT_STATES)[number]

/** A file of verdicts that an older version wrote, as it was when the log was begun. */
export type EarlierFile = { readonly file: string; readonly bytes: number; readonly sha256: string }

/** A signed statement of how far a log goes: its last line has this number and this digest. */
export type AuditHead = {
  readonly stream: string
  readonly seq: number
  /** SHA-256 of the line, base64url. */
  readonly hash: string
  /** RFC 3339. */
  readonly time: string
  /** Ed25519 by the audit key, base64url. */
  readonly signature: string
}

/** The log was opened by a process. Its first event is one. */
export type OpenEvent = Stamp & {
  readonly kind: 'open'
  /** Names the log, for as long as it is the same chain. */
  readonly stream: string
  /** SHA-256 of the public audit key (SPKI), base64url. */
  readonly key: string
  /** In the first event of a log: what was there before it. Else empty. */
  readonly earlier: readonly EarlierFile[]
  /**
   * What stood there. `Changed`: `head` speaks of lines that are not there, or are others. `HeadLost`: lines, and no head
   * that the audit key signed.
   */
  readonly found: 'Nothing' | 'AsLeft' | 'Changed' | 'HeadLost'
  /** The signed head that does not fit, where it was `Changed`; else null. */
  readonly head: AuditHead | null
}

/** A verdict, as the audit log writes it. */
export type VerdictEvent = VerdictRecord & { readonly kind: 'verdict' }

/** Everything that the audit log may hold. */
export type AuditEvent = VerdictEvent | MoveEvent | IssuanceEvent | KeyUseEvent | CaEvent | OpenEvent

/** The kinds of {@link AuditEvent}. */
export const AUDIT_KINDS = [
  'verdict',
  'move',
  'issuance',
  'key-use',
  'ca',
  'open',
] as const satisfies readonly AuditEvent['kind'][]

type Unstamped<E> = E extends Stamp ? Omit<E, 'id' | 'time'> : never

/** An event before the log gives it its id and time. */
export type NewAuditEvent = Unstamped<Exclude<AuditEvent, VerdictEvent | OpenEvent>>

/** Where a system writes down what it did. */
export interface AuditSink {
  /**
   * Written when it returns; the id of the event.
   * @throws SallyportError STATE_UNAVAILABLE when it could not be: what it tells of must not go on.
   */
  record(event: NewAuditEvent): string
}
