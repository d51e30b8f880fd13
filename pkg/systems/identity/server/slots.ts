import type { CaSlotState } from '#pkg/model'

/** What a slot signs. The keys of the two are never the same. */
export type AuthorityKind = 'X509' | 'Jwt'

/** What everybody may know of a slot's key. base64 of DER, or the numbers of an RSA key (base64url). */
export type SlotPublic =
  | { readonly kind: 'X509'; readonly root: string; readonly issuer: string }
  | { readonly kind: 'Jwt'; readonly n: string; readonly e: string }

/** One signing key through its life. */
export type Slot = {
  readonly id: string
  readonly authority: AuthorityKind
  readonly state: CaSlotState
  /** Milliseconds since 1970. */
  readonly madeMs: number
  readonly notAfterMs: number
  readonly key: SlotPublic
}

/** One slot changes its state. `from` null = it is made. */
export type SlotMove = { readonly slot: string; readonly from: CaSlotState | null; readonly to: CaSlotState }

/** What a person can do to the slots. `prepare` makes one and publishes it. */
export type SlotVerb = 'prepare' | 'activate' | 'taint' | 'revoke'

/** Slots of one authority that are not revoked. */
const MAX_SLOTS = 8

/** In whose name a key in the bundle proves something. A tainted one still does, until it is revoked. */
const IN_BUNDLE: ReadonlySet<CaSlotState> = new Set(['Published', 'Active', 'Retired', 'Tainted'])

/** True for a slot whose key is in the bundle. */
export function isPublished({ state }: Pick<Slot, 'state'>): boolean {
  return IN_BUNDLE.has(state)
}

/** A verb that does not apply; `detail` says why and what would. */
export type SlotRefusal = { readonly refused: 'UNKNOWN' | 'STATE'; readonly detail: string }

/** The moves that a verb means for these slots of one authority. `slot` null = the one that is meant by its state. */
export function movesOf(
  slots: readonly Slot[],
  verb: Exclude<SlotVerb, 'prepare'>,
  slot: string | null,
): readonly SlotMove[] | SlotRefusal {
  const meant = slot === null ? impliedBy(slots, verb) : (slots.find(({ id }) => id === slot) ?? null)
  if (meant === null) return { refused: 'UNKNOWN', detail: unknown(slots, verb, slot) }
  const { id, state: from } = meant
  if (verb === 'activate') {
    if (from !== 'Published') return refused(id, from, 'activate', 'only a published one can be activated')
    const active = slots.find((each) => each.state === 'Active')
    const retired: readonly SlotMove[] =
      active === undefined ? [] : [{ slot: active.id, from: 'Active', to: 'Retired' }]
    return [...retired, { slot: id, from, to: 'Active' }]
  }
  if (verb === 'taint') {
    if (from === 'Active') return refused(id, from, 'taint', 'it signs now: prepare and activate another first')
    if (from === 'Tainted' || from === 'Revoked') return refused(id, from, 'taint', 'it is past that')
    return [{ slot: id, from, to: 'Tainted' }]
  }
  return from === 'Tainted'
    ? [{ slot: id, from, to: 'Revoked' }]
    : refused(id, from, 'revoke', 'taint it first, so that what it signed is replaced before it ends')
}

/** Why no further slot can be made, or null. */
export function prepareRefusal(slots: readonly Slot[]): SlotRefusal | null {
  const waiting = slots.find(({ state }) => state === 'Prepared' || state === 'Published')
  if (waiting !== undefined) return refused(waiting.id, waiting.state, 'prepare', 'activate or taint it first')
  const kept = slots.filter(({ state }) => state !== 'Revoked').length
  return kept < MAX_SLOTS
    ? null
    : { refused: 'STATE', detail: `${kept} slots are kept, which is the limit: taint and revoke old ones` }
}

const MEANT: Readonly<Record<Exclude<SlotVerb, 'prepare'>, CaSlotState>> = {
  activate: 'Published',
  taint: 'Retired',
  revoke: 'Tainted',
}

function impliedBy(slots: readonly Slot[], verb: Exclude<SlotVerb, 'prepare'>): Slot | null {
  const found = slots.filter(({ state }) => state === MEANT[verb])
  return found.length === 1 ? (found[0] ?? null) : null
}

/** What has to come first, for a verb that finds no key to move. */
const FIRST: Readonly<Record<Exclude<SlotVerb, 'prepare'>, string>> = {
  activate: 'no key is Published: "ca prepare" makes one',
  taint: 'no key is Retired: "ca prepare" and "ca activate" bring another into its place first',
  revoke: 'no key is Tainted: "ca taint" marks the one that is not trusted any more',
}

function unknown(slots: readonly Slot[], verb: Exclude<SlotVerb, 'prepare'>, slot: string | null): string {
  if (slot !== null) return 'no such slot; "ca status" lists them'
  if (slots.every(({ state }) => state !== MEANT[verb])) return FIRST[verb]
  return `several keys are ${MEANT[verb]}: say which with --slot; "ca status" lists them`
}

function refused(id: string, state: CaSlotState, verb: string, why: string): SlotRefusal {
  return { refused: 'STATE', detail: `slot ${id} is ${state.toLowerCase()}, so it is not to ${verb}: ${why}` }
}
