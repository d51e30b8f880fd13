import type { ArgumentForm, CloseCause, Limits, Message, Reason } from '#pkg/model'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { asObject, asText, hasStrayArguments, type Json } from '#pkg/path/codec/wire/shape'
import { type Call, type CallPlace, causeOf } from './call.ts'

/** One element of `tool_calls`, or a `function_call`, as far as it tells something. */
type Piece = {
  readonly id: string | null
  readonly name: string | null
  readonly text: string | null
  readonly form: ArgumentForm
  readonly extra: Json
  readonly fault: Reason | null
}

/** All calls of one choice. */
type ChoiceCalls = { readonly slots: Map<string, Call>; readonly all: Call[]; last: Call | null; finished: boolean }

/** The calls of one answer: deltas in, messages out, whichever way the provider cuts them. */
export type CallTracker = {
  /** One element of `tool_calls`. Answers the key of the call that it belongs to. */
  tool(choice: number, element: unknown, at: number, out: Message[]): string
  /** More arguments of a call, in an element that holds nothing else (see {@link onlyArguments}). */
  more(where: MoreOf, text: string, at: number, out: Message[]): string
  /** A legacy `function_call` delta. */
  legacy(choice: number, delta: unknown, at: number, out: Message[]): string
  /** Something that could be a call and that the dialect does not define. */
  unknown(choice: number, at: number, out: Message[]): string
  /** The choice is over. */
  finish(choice: number, reason: string, at: number, out: Message[]): void
  /** The whole answer is over: what is open was broken off. */
  end(at: number, out: Message[]): void
  find(key: string): Call | undefined
}

/** Where an element of `tool_calls` belongs that holds arguments only. */
export type MoreOf = { readonly choice: number; readonly index: number; readonly form: ArgumentForm }

const ELEMENT_KEYS = new Set(['index', 'id', 'type', 'function', 'custom'])
const FUNCTION_KEYS = new Set(['name', 'arguments'])
const CUSTOM_KEYS = new Set(['name', 'input'])
const NO_EXTRA: Json = {}
const MAX_INDEX = 1023

/** Makes a tracker for one answer. WIRE.md §2, row "OpenAI Chat". */
export function newCallTracker(limits: Limits): CallTracker {
  return new Tracker(limits)
}

/** Where one piece belongs. */
type Place = {
  readonly choice: number
  readonly place: CallPlace
  readonly slot: string
  readonly index: number | null
}

class Tracker implements CallTracker {
  readonly #limits: Limits
  readonly #choices = new Map<number, ChoiceCalls>()
  readonly #calls = new Map<string, Call>()
  readonly #ids = new Map<string, Call>()
  #serial = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  tool(choice: number, element: unknown, at: number, out: Message[]): string {
    const object = asObject(element)
    if (object === null) return this.unknown(choice, at, out)
    const piece = pieceOf(object)
    const index = object['index']
    if (index === undefined || index === null) {
      const slot = slotWithoutIndex(this.#choiceOf(choice), piece)
      return this.#take({ choice, place: 'tool', slot, index: null }, piece, at, out)
    }
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0 || index > MAX_INDEX) {
      const bad = { choice, place: 'tool', slot: `bad${this.#serial}`, index: null } as const
      return this.#take(bad, { ...piece, fault: 'WIRE_INDEX_INVALID' }, at, out)
    }
    return this.#take({ choice, place: 'tool', slot: `${index}`, index }, piece, at, out)
  }

  more({ choice, index, form }: MoreOf, text: string, at: number, out: Message[]): string {
    const piece = { id: null, name: null, text, form, extra: NO_EXTRA, fault: null }
    return this.#take({ choice, place: 'tool', slot: `${index}`, index }, piece, at, out)
  }

  legacy(choice: number, delta: unknown, at: number, out: Message[]): string {
    const object = asObject(delta)
    if (object === null) return this.unknown(choice, at, out)
    const place = { choice, place: 'function', slot: 'function', index: null } as const
    return this.#take(place, pieceOf({ function: object }), at, out)
  }

  unknown(choice: number, at: number, out: Message[]): string {
    const place = { choice, place: 'tool', slot: `unknown${this.#serial}`, index: null } as const
    return this.#take(place, UNKNOWN_PIECE, at, out)
  }

  finish(choice: number, reason: string, at: number, out: Message[]): void {
    const group = this.#choiceOf(choice)
    const still = group.all.filter((call) => !call.closed)
    for (const call of still) this.#close(call, causeOf(reason, still.length), at, out)
    group.finished = true
  }

  end(at: number, out: Message[]): void {
    for (const call of this.#calls.values()) if (!call.closed) this.#close(call, 'truncated', at, out)
  }

  find(key: string): Call | undefined {
    return this.#calls.get(key)
  }

  #choiceOf(choice: number): ChoiceCalls {
    let known = this.#choices.get(choice)
    if (known === undefined) {
      known = { slots: new Map(), all: [], last: null, finished: false }
      this.#choices.set(choice, known)
    }
    return known
  }

  #open({ choice, place, slot, index }: Place): Call {
    const group = this.#choiceOf(choice)
    this.#serial += 1
    const call: Call = {
      key: `${choice}:${slot}#${this.#serial}`,
      choice,
      place,
      index,
      position: group.all.length,
      form: 'json',
      id: null,
      name: null,
      arguments: [],
      length: 0,
      overflow: false,
      scanner: newJsonScanner({ depth: this.#limits.jsonDepth, bytes: this.#limits.argumentBytes }),
      closed: false,
      faulted: null,
      extra: NO_EXTRA,
    }
    group.all.push(call)
    group.slots.set(slot, call)
    this.#calls.set(call.key, call)
    return call
  }

  #close(call: Call, cause: CloseCause, at: number, out: Message[]): void {
    call.closed = true
    call.scanner = null
    if (call.faulted !== null) return
    if (call.name === null) fail(call, 'WIRE_NAME_MISSING', at, out)
    else out.push({ kind: 'call-close', at, call: call.key, cause })
  }

  /** A new call of the same choice closes those before it whose arguments are whole. */
  #closeWhole(group: ChoiceCalls, at: number, out: Message[]): void {
    for (const call of group.all) {
      const whole = call.place === 'tool' && call.form === 'json' && call.scanner?.complete === true
      if (!call.closed && whole) this.#close(call, 'own', at, out)
    }
  }

  #admit(group: ChoiceCalls, at: number, out: Message[]): boolean {
    this.#closeWhole(group, at, out)
    if (this.#calls.size < this.#limits.callsPerAnswer) return true
    out.push({ kind: 'fault', at, scope: 'stream', reason: 'WIRE_CALL_LIMIT', call: null })
    return false
  }

  #take(where: Place, piece: Piece, at: number, out: Message[]): string {
    const group = this.#choiceOf(where.choice)
    let call = group.slots.get(where.slot)
    if (call !== undefined && (call.closed || group.finished) && tells(call, piece)) {
      if (!this.#admit(group, at, out)) return call.key
      call = this.#open(where)
      call.closed = true
      fail(call, 'WIRE_CALL_REOPENED', at, out)
      return call.key
    }
    if (call === undefined) {
      if (!this.#admit(group, at, out)) return ''
      call = this.#open(where)
      call.extra = piece.extra
      if (group.finished) fail(call, 'WIRE_CALL_REOPENED', at, out)
      call.closed = group.finished
    }
    group.last = call
    if (!call.closed && call.faulted === null) this.#feed(call, piece, at, out)
    else if (call.faulted !== null && piece.text !== null) keep(call, piece.text, this.#limits)
    return call.key
  }

  #feed(call: Call, piece: Piece, at: number, out: Message[]): void {
    if (piece.fault !== null) return fail(call, piece.fault, at, out)
    const identity = identify(call, piece, this.#ids)
    if (identity !== null) return fail(call, identity, at, out)
    const early = call.name === null && call.arguments.length > 0
    if (piece.name !== null) {
      if (call.name !== null) return fail(call, 'WIRE_NAME_SPLIT', at, out)
      call.name = piece.name
      call.form = piece.form
      out.push({ kind: 'call-open', at, call: call.key, name: piece.name, form: piece.form })
      if (early) out.push({ kind: 'call-delta', at, call: call.key, text: call.arguments.join('') })
    }
    if (piece.text === null || piece.text === '') return
    if (call.name !== null && call.form !== piece.form) return fail(call, 'WIRE_UNKNOWN_SHAPE', at, out)
    keep(call, piece.text, this.#limits)
    if (call.scanner?.push(piece.text) !== null) call.scanner = null
    if (call.name !== null) out.push({ kind: 'call-delta', at, call: call.key, text: piece.text })
    else if (call.overflow) fail(call, 'WIRE_ARGUMENT_TOO_LARGE', at, out)
  }
}

function fail(call: Call, reason: Reason, at: number, out: Message[]): void {
  if (call.faulted !== null) return
  call.faulted = reason
  call.scanner = null
  out.push({ kind: 'fault', at, scope: 'call', reason, call: call.key })
}

/** What has the look of a call and no shape that this dialect defines. */
const UNKNOWN_PIECE: Piece = {
  id: null,
  name: null,
  text: null,
  form: 'json',
  extra: NO_EXTRA,
  fault: 'WIRE_UNKNOWN_SHAPE',
}

/** Without an index a new id or name opens a call; anything else goes on with the last one. */
function slotWithoutIndex(group: ChoiceCalls, piece: Piece): string {
  const same = group.all.find((call) => call.index === null && call.id !== null && call.id === piece.id)
  if (same !== undefined) return `at${same.position}`
  const last = group.last
  const goesOn = piece.name === null && piece.id === null && last !== null && last.index === null
  return goesOn && last.place === 'tool' ? `at${last.position}` : `at${group.all.length}`
}

/** Would a client that reads this piece learn anything about the call? */
function tells(call: Call, piece: Piece): boolean {
  if (piece.fault !== null || piece.name !== null) return true
  return (piece.text !== null && piece.text !== '') || (piece.id !== null && piece.id !== call.id)
}

/** Notes the id; names the reason where clients that join by id would see another call. */
function identify(call: Call, piece: Piece, ids: Map<string, Call>): Reason | null {
  if (piece.id === null || piece.id === call.id) return null
  if (call.id !== null || call.arguments.length > 0 || ids.has(piece.id)) return 'WIRE_ID_CHANGED'
  call.id = piece.id
  ids.set(piece.id, call)
  return null
}

/** Keeps argument text for the restore record, up to the cap; beyond it the record is lost and says so. */
function keep(call: Call, text: string, limits: Limits): void {
  call.length += text.length
  if (call.length > limits.argumentBytes) call.overflow = true
  else call.arguments.push(text)
}

/** The form of the arguments if an element has nothing but them: no id, no name, no signature, no fault. */
export function onlyArguments(element: Json): ArgumentForm | null {
  const { id, name, extra, fault, form } = pieceOf(element)
  return id === null && name === null && fault === null && extra === NO_EXTRA ? form : null
}

function pieceOf(element: Json): Piece {
  const custom = element['custom'] !== undefined && element['custom'] !== null
  const inner = custom ? element['custom'] : element['function']
  const body = inner === undefined || inner === null ? {} : asObject(inner)
  const form: ArgumentForm = custom ? 'text' : 'json'
  const id = element['id']
  const type = element['type']
  const name = body?.['name']
  const text = body?.[custom ? 'input' : 'arguments']
  const broken =
    body === null ||
    (custom && element['function'] !== undefined && element['function'] !== null) ||
    !isOptionalText(id) ||
    !isOptionalText(name) ||
    !isOptionalText(text) ||
    !(isOptionalText(type) && ['', 'function', 'custom'].includes(asText(type) ?? '')) ||
    hasStrayArguments(element, ELEMENT_KEYS) ||
    hasStrayArguments(body, custom ? CUSTOM_KEYS : FUNCTION_KEYS)
  return {
    id: asText(id),
    name: asText(name),
    text: typeof text === 'string' ? text : null,
    form,
    extra: extraOf(element),
    fault: broken ? 'WIRE_UNKNOWN_SHAPE' : null,
  }
}

const isOptionalText = (value: unknown): boolean => value === undefined || value === null || typeof value === 'string'

function extraOf(element: Json): Json {
  let extra: Record<string, unknown> | null = null
  for (const key in element) {
    if (ELEMENT_KEYS.has(key)) continue
    extra ??= {}
    extra[key] = element[key]
  }
  return extra ?? NO_EXTRA
}
