import type { CloseCause, Limits, Message, Reason } from '#pkg/model'
import { asArray, asObject, asText, hasStrayArguments, isEmpty, type Json } from '#pkg/path/codec/wire/shape'
import type { Call } from './call.ts'
import { bothNames, isTwofold, member, present } from './names.ts'
import { PartialArgs } from './partial-args.ts'

/** A part with a call, and where its own text is, should it be needed: the whole part, and the arguments. */
export type CallPart = {
  readonly value: Json
  readonly raw: () => string
  readonly rawArgs: () => string
}

/** The calls of one answer: parts in, messages out. */
export type CallTracker = {
  /** A part with a `functionCall`. Answers the key of the call that it belongs to. */
  part(choice: number, part: CallPart, at: number, out: Message[]): string
  /** Something that could be a call and that the dialect does not define. */
  unknown(choice: number, at: number, out: Message[]): string
  /** The candidate is over: a call that would go on was broken off. */
  finish(choice: number, at: number, out: Message[]): void
  /** The whole answer is over. */
  end(at: number, out: Message[]): void
  find(key: string): Call | undefined
}

const CALL_KEYS = bothNames('name', 'args', 'id', 'partialArgs', 'willContinue')

/** A `functionCall`, as far as it tells something. */
type Piece = {
  readonly id: string | null
  readonly name: string | null
  readonly hasArgs: boolean
  readonly pieces: readonly unknown[]
  readonly goesOn: boolean
  readonly fault: Reason | null
}

/** Makes a tracker for one answer. WIRE.md §2, row "Gemini". */
export function newCallTracker(limits: Limits): CallTracker {
  return new Tracker(limits)
}

class Tracker implements CallTracker {
  readonly #limits: Limits
  readonly #calls = new Map<string, Call>()
  readonly #ids = new Set<string>()
  /** The call of each candidate that said it would go on. */
  readonly #open = new Map<number, Call>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  part(choice: number, part: CallPart, at: number, out: Message[]): string {
    const piece = pieceOf(part.value)
    const open = this.#open.get(choice)
    if (open !== undefined && piece.name === null) return this.#goOn(open, piece, at, out)
    if (open !== undefined) this.#close(open, 'truncated', at, out)
    if (!this.#admit(at, out)) return ''
    const call = this.#begin(choice)
    if (piece.fault !== null) fail(call, piece.fault, at, out)
    else this.#read(call, piece, part, at, out)
    if (piece.goesOn) this.#open.set(choice, call)
    else call.closed = true
    return call.key
  }

  unknown(choice: number, at: number, out: Message[]): string {
    if (!this.#admit(at, out)) return ''
    const call = this.#begin(choice)
    call.closed = true
    fail(call, 'WIRE_UNKNOWN_SHAPE', at, out)
    return call.key
  }

  finish(choice: number, at: number, out: Message[]): void {
    const open = this.#open.get(choice)
    if (open !== undefined) this.#close(open, 'truncated', at, out)
  }

  end(at: number, out: Message[]): void {
    for (const open of [...this.#open.values()]) this.#close(open, 'truncated', at, out)
  }

  find(key: string): Call | undefined {
    return this.#calls.get(key)
  }

  #admit(at: number, out: Message[]): boolean {
    if (this.#calls.size < this.#limits.callsPerAnswer) return true
    out.push({ kind: 'fault', at, scope: 'stream', reason: 'WIRE_CALL_LIMIT', call: null })
    return false
  }

  #begin(choice: number): Call {
    const key = `${choice}#${this.#calls.size + 1}`
    const call: Call = {
      key,
      choice,
      id: null,
      name: null,
      args: null,
      closed: false,
      faulted: null,
      part: null,
      raw: null,
    }
    this.#calls.set(key, call)
    return call
  }

  #read(call: Call, piece: Piece, part: CallPart, at: number, out: Message[]): void {
    if (piece.name === null) return fail(call, 'WIRE_NAME_MISSING', at, out)
    if (piece.id !== null && this.#ids.has(piece.id)) return fail(call, 'WIRE_ID_CHANGED', at, out)
    if (piece.id !== null) this.#ids.add(piece.id)
    call.id = piece.id
    call.name = piece.name
    call.part = part.value
    out.push({ kind: 'call-open', at, call: call.key, name: piece.name, form: 'json' })
    if (piece.goesOn || piece.pieces.length > 0) {
      call.args = new PartialArgs(this.#limits)
      return this.#feed(call, piece, at, out)
    }
    call.raw = part.raw()
    out.push({ kind: 'call-delta', at, call: call.key, text: piece.hasArgs ? part.rawArgs() : '{}' })
    out.push({ kind: 'call-close', at, call: call.key, cause: 'own' })
  }

  /** A piece without a name belongs to the call that is open. */
  #goOn(call: Call, piece: Piece, at: number, out: Message[]): string {
    if (call.faulted === null) {
      if (piece.fault !== null) fail(call, piece.fault, at, out)
      else if (piece.id !== null && piece.id !== call.id) fail(call, 'WIRE_ID_CHANGED', at, out)
      else if (piece.hasArgs) fail(call, 'WIRE_UNKNOWN_SHAPE', at, out)
      else this.#feed(call, piece, at, out)
    }
    if (!piece.goesOn && !call.closed) this.#close(call, 'own', at, out)
    return call.key
  }

  /** Arguments in pieces are told in one, when the last has come: nobody can say before what they will be. */
  #feed(call: Call, piece: Piece, at: number, out: Message[]): void {
    const { args } = call
    if (args === null) return
    for (const element of piece.pieces) {
      const reason = args.take(element)
      if (reason !== null) return fail(call, reason, at, out)
    }
    if (!piece.goesOn) this.#close(call, 'own', at, out)
  }

  #close(call: Call, cause: CloseCause, at: number, out: Message[]): void {
    this.#open.delete(call.choice)
    if (call.closed) return
    call.closed = true
    if (call.faulted !== null) return
    const whole = cause !== 'truncated' && call.args?.whole === true
    if (whole) out.push({ kind: 'call-delta', at, call: call.key, text: call.args?.text() ?? '{}' })
    out.push({ kind: 'call-close', at, call: call.key, cause: whole ? cause : 'truncated' })
  }
}

function fail(call: Call, reason: Reason, at: number, out: Message[]): void {
  call.faulted = reason
  out.push({ kind: 'fault', at, scope: 'call', reason, call: call.key })
}

/** Reads the `functionCall` of a part that has one. */
function pieceOf(part: Json): Piece {
  const call = asObject(member(part, 'functionCall'))
  if (call === null) return BROKEN
  const args = call['args']
  const pieces = member(call, 'partialArgs')
  const more = member(call, 'willContinue')
  const broken =
    isTwofold(part, 'functionCall') ||
    isTwofold(call, 'partialArgs') ||
    isTwofold(call, 'willContinue') ||
    !isOptionalText(call['name']) ||
    !isOptionalText(call['id']) ||
    (present(args) && asObject(args) === null) ||
    (present(pieces) && asArray(pieces) === null) ||
    (present(more) && typeof more !== 'boolean') ||
    (!isEmpty(args) && (!isEmpty(pieces) || more === true)) ||
    hasStrayArguments(call, CALL_KEYS)
  return {
    id: asText(call['id']),
    name: asText(call['name']),
    hasArgs: !isEmpty(args),
    pieces: asArray(pieces) ?? [],
    goesOn: more === true,
    fault: broken ? 'WIRE_UNKNOWN_SHAPE' : null,
  }
}

const BROKEN: Piece = {
  id: null,
  name: null,
  hasArgs: false,
  pieces: [],
  goesOn: false,
  fault: 'WIRE_UNKNOWN_SHAPE',
}

const isOptionalText = (value: unknown): boolean => !present(value) || typeof value === 'string'
