import type { ArgumentForm, Limits, Reason } from '#pkg/model'
import type { Json } from '#pkg/path/codec/wire/shape'
import { type CallFace, withArguments } from './item.ts'

/** One call of an answer: an output item, and every way in which a client could read it. */
export type Slot = {
  /** Place in the output; null for something that no item of the output stands for. */
  readonly index: number | null
  /** Keys of its readings, the one of its deltas first. One refused is all refused. */
  readonly keys: string[]
  type: string
  form: ArgumentForm
  streams: boolean
  name: string | null
  namespace: string | null
  /** The names under which it is judged, the first with its deltas. */
  names: readonly string[]
  callId: string | null
  /** The item as the provider told it last. */
  item: Json | null
  /** Arguments of the first telling, then of its deltas. */
  readonly pieces: string[]
  /** True when the first of the pieces is not from a delta. */
  hasBase: boolean
  length: number
  /** True when the arguments were longer than the cap and are not all kept. */
  overflow: boolean
  /** Other tellings of the arguments, until the item is done. */
  readonly tellings: string[]
  /** Pieces of a member that is told in parts: commands of a shell, the diff of a patch. */
  readonly parts: Map<string, string>
  added: boolean
  opened: boolean
  closed: boolean
  faulted: Reason | null
  /** Readings that are judged (name and arguments, or what is wrong with them), and the key of each. */
  readonly readings: Map<string, string>
}

/** Makes a slot for what a face tells first. */
export function newSlot(key: string, index: number | null, face: CallFace): Slot {
  return {
    index,
    keys: [key],
    type: face.type,
    form: face.form,
    streams: face.streams,
    name: null,
    namespace: face.namespace,
    names: [],
    callId: null,
    item: null,
    pieces: [],
    hasBase: false,
    length: 0,
    overflow: false,
    tellings: [],
    parts: new Map(),
    added: false,
    opened: false,
    closed: false,
    faulted: null,
    readings: new Map(),
  }
}

/** The arguments as deltas told them. */
export function streamedText(slot: Slot): string {
  return slot.pieces.join('')
}

/** Keeps argument text up to the cap; a call beyond it is refused, and cannot be put back. */
export function keepText(slot: Slot, text: string, limits: Limits): void {
  slot.length += text.length
  if (slot.length > limits.argumentBytes) slot.overflow = true
  else slot.pieces.push(text)
}

/** The item as a client may have it once the call is released. */
export function releasedItem(slot: Slot): Json {
  return withArguments(slot.item ?? {}, streamedText(slot))
}

/** What `restore` puts back. `item` is null for what was no item of the provider's. */
export type Original = { readonly item: Json | null; readonly index: number | null }

/** The call as the provider made it; empty when it is not all kept. */
export function originalOf(slot: Slot): string {
  if (slot.index === null) return JSON.stringify({ item: null, index: null } satisfies Original)
  if (slot.overflow || slot.item === null) return ''
  const item = slot.closed && slot.item['status'] !== 'in_progress' ? slot.item : releasedItem(slot)
  return JSON.stringify({ item, index: slot.index } satisfies Original)
}

/**
 * What the parts of a call told of its arguments, as the item would have them: `done` with its commands or its diff
 * replaced. null = nothing was told in parts.
 */
export function partsText(slot: Slot, done: Json): string | null {
  if (slot.parts.size === 0) return null
  if (slot.type === 'shell_call') {
    const action = done['action']
    const commands = [...slot.parts.values()]
    return JSON.stringify({ ...(typeof action === 'object' ? action : {}), commands })
  }
  const operation = done['operation']
  return JSON.stringify({
    ...(typeof operation === 'object' ? operation : {}),
    diff: [...slot.parts.values()].join(''),
  })
}
