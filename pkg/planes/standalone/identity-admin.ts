import { type AgentKey, agentRefOf, type CaSlotState, type Reason } from '#pkg/model'
import type { Identity as AgentIdentity } from '#pkg/systems/identity'
import type { AuthorityStatus, SlotAsk, SlotVerb } from '#pkg/systems/identity/server'
import type { Identity } from './identity.ts'

type Shown = {
  readonly namespace: string
  readonly name: string
  readonly spiffeId: string
  readonly uid: string
  readonly epoch: number
  readonly serial: string
  readonly notBefore: string
  readonly notAfter: string
  readonly slot: string
  readonly thumbprint: string
  readonly chain: string
}

type ShownCa = {
  readonly trustDomain: string
  readonly sequence: number
  readonly slots: readonly {
    readonly id: string
    readonly authority: 'X509' | 'Jwt'
    readonly state: CaSlotState
    readonly made: string
    readonly notAfter: string
  }[]
  readonly fault: string | null
}

/** Identity as a person and the agents' own route see it. */
export type IdentityDesk = {
  bundle(): object
  list(): readonly Shown[]
  of(agent: AgentKey): Promise<Shown | null>
  caStatus(): ShownCa
  moveCa(verb: SlotVerb, ask: SlotAsk): Promise<ShownCa>
  caller(
    request: { readonly method: string; readonly path: string },
    headers: Readonly<Record<string, readonly string[] | undefined>>,
  ):
    | { readonly ok: true; readonly agent: AgentKey; readonly spiffeId: string }
    | { readonly ok: false; readonly reason: Reason; readonly detail: string }
}

/** Makes the desk. */
export function newIdentityDesk({ authority, identities, proofs, fault }: Identity): IdentityDesk {
  const shownCa = (status: AuthorityStatus): ShownCa => ({ ...caOf(status), fault: fault() })
  return {
    bundle: () => authority.bundle(),
    list: () => identities.list().map(shownOf),
    of: async (agent) => {
      const identity = await identities.get(agent)
      return identity === null ? null : shownOf(identity)
    },
    caStatus: () => shownCa(authority.status()),
    moveCa: async (verb, ask) => {
      await authority.ready()
      return shownCa(await authority.move(verb, ask))
    },
    caller: ({ method, path }, headers) => {
      const given = Object.fromEntries(Object.entries(headers).map(([name, all]) => [name, single(all)]))
      const caller = proofs.verify('control-plane', { method, path, body: new Uint8Array(0) }, given)
      if (caller.ok) return caller
      const { reason, detail } = caller.finding
      return { ok: false, reason, detail }
    },
  }
}

function single(all: readonly string[] | undefined): string | readonly string[] {
  const [first, ...more] = all ?? []
  return first !== undefined && more.length === 0 ? first : (all ?? [])
}

function shownOf({ agent, spiffeId, uid, epoch, key, x509 }: AgentIdentity): Shown {
  return {
    ...agentRefOf(agent),
    spiffeId,
    uid,
    epoch,
    serial: x509.serial,
    notBefore: timeOf(x509.notBeforeMs),
    notAfter: timeOf(x509.notAfterMs),
    slot: x509.slot,
    thumbprint: key.jkt,
    chain: x509.chain.map(pemOf).join(''),
  }
}

function caOf({ trustDomain, sequence, slots }: AuthorityStatus): Omit<ShownCa, 'fault'> {
  const shown = slots.map(({ id, authority, state, madeMs, notAfterMs }) => {
    return { id, authority, state, made: timeOf(madeMs), notAfter: timeOf(notAfterMs) }
  })
  return { trustDomain, sequence, slots: shown }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
