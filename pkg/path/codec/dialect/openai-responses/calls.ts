import type { CloseCause, Limits, Message, Reason } from '#pkg/model'
import type { Json } from '#pkg/path/codec/wire/shape'
import { type CallFace, faceOfType } from './item.ts'
import { namesOf, packedIn } from './names.ts'
import { keepText, newSlot, partsText, type Slot, streamedText } from './slot.ts'

/** Where messages go, and the offset in the entity at which they became known. */
export type Sink = { readonly at: number; readonly out: Message[] }

/** A call in an event, and keys of readings that this event alone tells. */
export type Seen = { readonly slot: Slot; readonly extras: readonly string[] }

/** One telling of a call: the item, and what it says. */
export type Telling = { readonly item: Json; readonly face: CallFace }

/** How a snapshot of the whole answer counts for a call that is still open. */
export type Snapshot = 'interim' | 'final' | 'cut'

const NO_EXTRAS: readonly string[] = []
/** Item ids remembered for one answer: some providers give every event its own. */
const MAX_IDS = 16_384

/**
 * The calls of one answer: items, deltas and echoes in, messages out. Each call is judged under every reading that
 * some client has of it: its deltas, their end, its item, its echo in a snapshot. WIRE.md §2, row "OpenAI Responses".
 */
export class CallTracker {
  readonly #limits: Limits
  readonly #declared: readonly string[]
  readonly #slots = new Map<number, Slot>()
  readonly #all = new Map<string, Slot>()
  readonly #callIds = new Map<string, Slot>()
  readonly #itemIds = new Map<string, number>()
  #serial = 0

  constructor(limits: Limits, declared: readonly string[]) {
    this.#limits = limits
    this.#declared = declared
  }

  find(key: string): Slot | undefined {
    return this.#all.get(key)
  }

  at(index: number): Slot | undefined {
    return this.#slots.get(index)
  }

  /** An item began. */
  added(index: number, { item, face }: Telling, to: Sink): Slot {
    const known = this.#slots.get(index)
    if (known?.closed || known?.added) return this.stray('WIRE_CALL_REOPENED', to)
    const slot = known ?? this.#create(index, face, to)
    if (slot === null) return this.#lost
    slot.added = true
    slot.item = item
    const late = slot.pieces.length > 0
    this.#meet(slot, face, to)
    if (face.text !== null && face.text !== '' && slot.faulted === null) {
      if (!face.streams) {
        if (face.status !== 'in_progress') slot.tellings.push(face.text)
      } else if (late) this.fail(slot, 'WIRE_CALL_REOPENED', to)
      else {
        slot.hasBase = true
        this.#feed(slot, face.text, to)
      }
    }
    return slot
  }

  /** A delta for the item at an index. */
  delta(index: number, type: string, text: string, to: Sink): Slot {
    const slot = this.#inner(index, type, to)
    if (slot.faulted === null && !slot.closed) this.#feed(slot, text, to)
    return slot
  }

  /** The end of the deltas, which tells all of the arguments again. */
  told(index: number, type: string, telling: { text: string; name: string | null }, to: Sink): Slot {
    const slot = this.#inner(index, type, to)
    if (slot.faulted !== null) return slot
    if (telling.name !== null && slot.name !== null && telling.name !== slot.name) {
      this.fail(slot, 'WIRE_NAME_SPLIT', to)
    } else if (slot.pieces.length === 0) this.#feed(slot, telling.text, to)
    else if (slot.tellings.length < 8) slot.tellings.push(telling.text)
    else this.fail(slot, 'WIRE_CALL_REOPENED', to)
    return slot
  }

  /** A piece of a member that is told in parts. `whole` = it replaces what was told before. */
  part(index: number, type: string, piece: { key: string; text: string; whole: boolean }, to: Sink): Slot {
    const slot = this.#inner(index, type, to)
    if (slot.faulted !== null) return slot
    const before = piece.whole ? '' : (slot.parts.get(piece.key) ?? '')
    slot.length += piece.text.length
    if (slot.length > this.#limits.argumentBytes) this.fail(slot, 'WIRE_ARGUMENT_TOO_LARGE', to)
    else slot.parts.set(piece.key, before + piece.text)
    return slot
  }

  /** An item is complete. */
  done(index: number, telling: Telling, to: Sink): Seen {
    const known = this.#slots.get(index)
    if (known?.closed) return this.#again(known, telling, to)
    const slot = known ?? this.#create(index, telling.face, to)
    if (slot === null) return { slot: this.#lost, extras: NO_EXTRAS }
    return this.#finish(slot, telling, to)
  }

  /** The item at a place of a snapshot. */
  echo(position: number, telling: Telling, how: Snapshot, to: Sink): Seen {
    const { face } = telling
    const here = this.#slots.get(position)
    const named = face.callId === null ? undefined : this.#callIds.get(face.callId)
    const slot = named ?? (here?.type === face.type ? here : undefined)
    if (slot?.closed) return this.#again(slot, telling, to)
    if (slot === undefined) {
      if (how === 'interim' && here === undefined) {
        return { slot: this.added(position, telling, to), extras: NO_EXTRAS }
      }
      const fresh = this.#create(position, face, to, here !== undefined)
      return fresh === null ? { slot: this.#lost, extras: NO_EXTRAS } : this.#finish(fresh, telling, to)
    }
    if (how === 'final') return this.#finish(slot, telling, to)
    slot.item = telling.item
    if (face.text !== null && face.streams && !streamedText(slot).startsWith(face.text)) slot.tellings.push(face.text)
    return { slot, extras: NO_EXTRAS }
  }

  /** Notes the id under which a client may know the item at an index. */
  claimItem(id: string | null, index: number, to: Sink): void {
    if (id === null) return
    const owner = this.#itemIds.get(id)
    if (owner === index) return
    if (owner === undefined && this.#itemIds.size < MAX_IDS) {
      this.#itemIds.set(id, index)
      return
    }
    for (const place of [index, owner]) {
      const slot = place === undefined ? undefined : this.#slots.get(place)
      if (slot !== undefined && !slot.closed) this.fail(slot, 'WIRE_ID_CHANGED', to)
    }
  }

  /** Something that has the look of a call where none is defined. */
  stray(reason: Reason, to: Sink): Slot {
    const slot = this.#create(null, faceOfType('unknown'), to)
    if (slot === null) return this.#lost
    slot.closed = true
    this.fail(slot, reason, to)
    return slot
  }

  /** The answer is over: what is open was broken off. */
  end(to: Sink): void {
    for (const slot of new Set(this.#all.values())) if (!slot.closed) this.#close(slot, 'truncated', to)
  }

  fail(slot: Slot, reason: Reason, to: Sink): void {
    if (slot.faulted !== null) return
    slot.faulted = reason
    to.out.push({ kind: 'fault', at: to.at, scope: 'call', reason, call: slot.keys[0] ?? '' })
  }

  /** Stands for a call beyond the limit: the stream ends there. */
  readonly #lost: Slot = newSlot('', null, faceOfType('unknown'))

  #create(index: number | null, face: CallFace, to: Sink, shared = false): Slot | null {
    if (!this.#admit(to)) return null
    const slot = newSlot(`${index ?? 'stray'}#${this.#serial}`, index, face)
    this.#serial += 1
    this.#all.set(slot.keys[0] ?? '', slot)
    if (index !== null && !shared) this.#slots.set(index, slot)
    return slot
  }

  #admit(to: Sink): boolean {
    if (this.#all.size < this.#limits.callsPerAnswer) return true
    to.out.push({ kind: 'fault', at: to.at, scope: 'stream', reason: 'WIRE_CALL_LIMIT', call: null })
    return false
  }

  /** The call that a delta belongs to; one that is closed cannot go on. */
  #inner(index: number, type: string, to: Sink): Slot {
    const slot = this.#slots.get(index) ?? this.#create(index, faceOfType(type), to)
    if (slot === null) return this.#lost
    if (slot.closed) return this.stray('WIRE_CALL_REOPENED', to)
    if (slot.type !== type) this.fail(slot, 'WIRE_UNKNOWN_SHAPE', to)
    return slot
  }

  /** What one more telling says of type, name and id. */
  #meet(slot: Slot, face: CallFace, to: Sink): void {
    if (face.fault !== null || face.type !== slot.type) return this.fail(slot, face.fault ?? 'WIRE_UNKNOWN_SHAPE', to)
    if (face.name !== null && slot.name === null) {
      slot.name = face.name
      slot.namespace = face.namespace
      this.#open(slot, face, to)
    } else if (face.name !== slot.name || face.namespace !== slot.namespace) {
      return this.fail(slot, 'WIRE_NAME_SPLIT', to)
    }
    if (face.callId === slot.callId) return
    const owner = face.callId === null ? undefined : this.#callIds.get(face.callId)
    // what was searched for gets a new id with each telling
    const changed = slot.callId !== null && face.type !== 'tool_search_call'
    if (changed || (owner !== undefined && owner !== slot)) return this.fail(slot, 'WIRE_ID_CHANGED', to)
    if (face.callId === null) return
    slot.callId = face.callId
    this.#callIds.set(face.callId, slot)
  }

  #open(slot: Slot, face: CallFace, to: Sink): void {
    if (slot.faulted !== null) return
    slot.names = namesOf(face, this.#declared)
    slot.opened = true
    const [call = ''] = slot.keys
    to.out.push({ kind: 'call-open', at: to.at, call, name: slot.names[0] ?? '', form: slot.form })
    const early = streamedText(slot)
    if (early !== '') to.out.push({ kind: 'call-delta', at: to.at, call, text: early })
  }

  #feed(slot: Slot, text: string, to: Sink): void {
    if (text === '') return
    keepText(slot, text, this.#limits)
    if (slot.opened) to.out.push({ kind: 'call-delta', at: to.at, call: slot.keys[0] ?? '', text })
    else if (slot.overflow) this.fail(slot, 'WIRE_ARGUMENT_TOO_LARGE', to)
  }

  /** The last telling of an open call: all readings that differ are judged, then the first one is closed. */
  #finish(slot: Slot, { item, face }: Telling, to: Sink): Seen {
    slot.item = item
    this.#meet(slot, face, to)
    if (slot.faulted === null && face.text !== null) {
      if (slot.pieces.length === 0) this.#feed(slot, face.text, to)
      else slot.tellings.push(face.text)
    }
    const cause = face.status === 'incomplete' ? 'truncated' : 'own'
    const extras = slot.faulted === null ? this.#readings(slot, item, { ...to, cause }) : NO_EXTRAS
    this.#close(slot, cause, to)
    return { slot, extras }
  }

  /** Every reading beside the one of the deltas. */
  #readings(slot: Slot, item: Json, to: ReadingSink): readonly string[] {
    const [name = ''] = slot.names
    const main = streamedText(slot)
    slot.readings.set(`${name}\0${main}`, slot.keys[0] ?? '')
    const texts = new Set([main, ...slot.tellings])
    if (slot.hasBase && slot.pieces.length > 1) texts.add(slot.pieces.slice(1).join(''))
    const parts = partsText(slot, item)
    if (parts !== null) texts.add(parts)
    const extras: string[] = []
    for (const each of slot.names) for (const text of texts) this.#reading(slot, { name: each, text }, to, extras)
    for (const text of texts)
      for (const packed of packedIn(name, text, this.#limits.jsonDepth)) this.#reading(slot, packed, to, extras)
    return extras
  }

  #reading(slot: Slot, { name, text }: { name: string; text: string }, to: ReadingSink, extras: string[]): void {
    const call = this.#extraKey(slot, `${name}\0${text}`, to, extras)
    if (call === null) return
    const { at, out, cause } = to
    out.push({ kind: 'call-open', at, call, name, form: slot.form })
    if (text !== '') out.push({ kind: 'call-delta', at, call, text })
    out.push({ kind: 'call-close', at, call, cause })
  }

  /** The key of a reading goes to `extras`, but for the one of the deltas. It is answered where it is a new one. */
  #extraKey(slot: Slot, reading: string, to: Sink, extras: string[]): string | null {
    const known = slot.readings.get(reading)
    if (known !== undefined) {
      if (known !== slot.keys[0]) extras.push(known)
      return null
    }
    if (!this.#admit(to)) return null
    const call = `${slot.keys[0]}~${slot.keys.length}`
    slot.readings.set(reading, call)
    slot.keys.push(call)
    extras.push(call)
    this.#all.set(call, slot)
    return call
  }

  /** One more telling of a call that is closed: the same, or a reading of its own. */
  #again(slot: Slot, { face }: Telling, to: Sink): Seen {
    if (slot.faulted !== null) return { slot, extras: NO_EXTRAS }
    const extras: string[] = []
    const other = this.#differs(slot, face)
    if (other === null) {
      const cause = face.status === 'incomplete' ? 'truncated' : 'own'
      const text = face.text ?? ''
      for (const name of slot.names) this.#reading(slot, { name, text }, { ...to, cause }, extras)
    } else {
      const call = this.#extraKey(slot, other, to, extras)
      if (call !== null) to.out.push({ kind: 'fault', at: to.at, scope: 'call', reason: other, call })
    }
    return { slot, extras }
  }

  #differs(slot: Slot, face: CallFace): Reason | null {
    if (face.fault !== null || face.type !== slot.type) return face.fault ?? 'WIRE_UNKNOWN_SHAPE'
    if (face.name !== slot.name || face.namespace !== slot.namespace) return 'WIRE_NAME_SPLIT'
    const rotates = face.type === 'tool_search_call'
    return face.callId === slot.callId || face.callId === null || rotates ? null : 'WIRE_ID_CHANGED'
  }

  #close(slot: Slot, cause: CloseCause, to: Sink): void {
    slot.closed = true
    if (slot.faulted !== null) return
    if (!slot.opened) this.fail(slot, 'WIRE_NAME_MISSING', to)
    else to.out.push({ kind: 'call-close', at: to.at, call: slot.keys[0] ?? '', cause })
  }
}

type ReadingSink = Sink & { readonly cause: CloseCause }
