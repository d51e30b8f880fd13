import type { CloseCause, Limits, Message, Reason } from '#pkg/model'
import { asText, hasStrayArguments, isEmpty, type Json } from '#pkg/path/codec/wire/shape'
import { argumentsOf, type Block, CALL_MEMBERS, type Call, isDefinedCall, kindOf } from './block.ts'
import { Crossing } from './crossing.ts'
import { memberName } from './tools.ts'

/** The calls of one answer: starts and deltas in, messages out. */
export type CallTracker = {
  /** A new message of the answer begins: places count anew. */
  begin(): void
  /** A block starts. `input` is its input as it is written. `late` = the message has told already why it ended. */
  open(start: BlockStart, at: number, out: Message[]): Block
  /** More input for a block that is open. Answers a stray call that some client could make of it, if any. */
  feed(block: Block, text: string, at: number, out: Message[]): string | null
  /** What came for this block, which is open, has no reading: its call is refused. */
  spoil(block: Block, reason: Reason, at: number, out: Message[]): void
  close(block: Block, cause: CloseCause, at: number, out: Message[]): void
  /** Something that could be a call, outside of any block. Answers its key. */
  stray(reason: Reason, at: number, out: Message[]): string
  /** Closes as broken off what is still open. */
  end(at: number, out: Message[]): void
  find(key: string): Call | undefined
}

/** How a block starts. `skewed` = clients that count see it at another place than its index says. */
export type BlockStart = {
  readonly start: Json
  readonly index: number
  readonly input: string | null
  readonly skewed: boolean
  readonly late: boolean
}

/** Makes a tracker for one answer. `declared`: names of the tools that the client runs. WIRE.md §2, row "Anthropic". */
export function newCallTracker(declared: readonly string[], limits: Limits): CallTracker {
  return new Tracker(declared, limits)
}

class Tracker implements CallTracker {
  readonly #declared: ReadonlySet<string>
  readonly #limits: Limits
  readonly #calls = new Map<string, Call>()
  readonly #ids = new Set<string>()
  #open = new Set<Block>()
  /** The call that came last. */
  #last: Block | null = null
  #serial = 0

  constructor(declared: readonly string[], limits: Limits) {
    this.#declared = new Set(declared)
    this.#limits = limits
  }

  begin(): void {
    this.#open = new Set()
  }

  open(from: BlockStart, at: number, out: Message[]): Block {
    const { start, index } = from
    const kind = kindOf(start, this.#declared)
    this.#serial += 1
    const key = `${index}#${this.#serial}`
    const call = kind === 'call' ? this.#openCall(key, from, at, out) : null
    const block: Block = { key, serial: this.#serial, kind, index, start, closed: false, call }
    if (call !== null) {
      this.#open.add(block)
      this.#last = block
    }
    return block
  }

  feed(block: Block, text: string, at: number, out: Message[]): string | null {
    const { call } = block
    const crosses = this.#cross(block, text)
    if (call === null) return crosses ? this.stray('WIRE_UNKNOWN_SHAPE', at, out) : null
    keep(call, text, this.#limits)
    if (call.faulted !== null) return null
    // what came with the start is replaced by some clients and joined by others
    if (crosses || call.given !== null) fail(call, 'WIRE_UNKNOWN_SHAPE', at, out)
    else out.push({ kind: 'call-delta', at, call: call.key, text })
    return null
  }

  /**
   * Follows the clients that give every piece of input to the call that came last. True where they could now make
   * an input of it and that call has left already.
   */
  #cross(block: Block, text: string): boolean {
    const last = this.#last
    const call = last?.call ?? null
    if (last === null || call === null) return false
    if (last === block) {
      call.crossing?.push(text)
      return false
    }
    if (last.closed && block.serial > last.serial) return false // one after the other, as it should be
    call.crossing ??= new Crossing(call.pieces.join(''), this.#limits)
    call.crossing.push(text)
    return last.closed && call.crossing.whole
  }

  spoil(block: Block, reason: Reason, at: number, out: Message[]): void {
    if (block.call !== null) fail(block.call, reason, at, out)
  }

  close(block: Block, cause: CloseCause, at: number, out: Message[]): void {
    block.closed = true
    this.#open.delete(block)
    const { call } = block
    if (call === null || call.closed) return
    call.closed = true
    if (call.faulted !== null) return
    if (call.crossing?.whole === true) return fail(call, 'WIRE_UNKNOWN_SHAPE', at, out)
    if (call.pieces.length === 0 && !call.overflow) {
      out.push({ kind: 'call-delta', at, call: call.key, text: argumentsOf(call) })
    }
    out.push({ kind: 'call-close', at, call: call.key, cause })
  }

  stray(reason: Reason, at: number, out: Message[]): string {
    this.#serial += 1
    const key = `stray#${this.#serial}`
    if (this.#admit(key, STRAY, at, out)) out.push({ kind: 'fault', at, scope: 'call', reason, call: key })
    return key
  }

  end(at: number, out: Message[]): void {
    for (const block of [...this.#open]) this.close(block, 'truncated', at, out)
  }

  find(key: string): Call | undefined {
    return this.#calls.get(key)
  }

  #admit(key: string, call: Call, at: number, out: Message[]): boolean {
    if (this.#calls.size >= this.#limits.callsPerAnswer) {
      out.push({ kind: 'fault', at, scope: 'stream', reason: 'WIRE_CALL_LIMIT', call: null })
      return false
    }
    this.#calls.set(key, call)
    return true
  }

  #openCall(key: string, from: BlockStart, at: number, out: Message[]): Call {
    const { start } = from
    const call: Call = {
      key,
      id: asText(start['id']),
      name: this.#nameOf(start),
      start,
      given: isEmpty(start['input']) ? null : (from.input ?? JSON.stringify(start['input'])),
      pieces: [],
      length: 0,
      overflow: false,
      crossing: null,
      closed: false,
      faulted: null,
    }
    if (!this.#admit(key, call, at, out)) return call
    const fault = this.#faultOf(call, from)
    if (fault !== null) fail(call, fault, at, out)
    else out.push({ kind: 'call-open', at, call: key, name: call.name ?? '', form: 'json' })
    if (call.id !== null) this.#ids.add(call.id)
    return call
  }

  /** A call of a toolset is judged as `toolset.member`, if the request declares that toolset. */
  #nameOf(start: Json): string | null {
    const name = asText(start['name'])
    const toolset = asText(start['toolset_name'])
    return name === null || toolset === null ? name : memberName(toolset, name)
  }

  #faultOf(call: Call, { start, skewed, late }: BlockStart): Reason | null {
    const input = start['input']
    if (!isDefinedCall(start) || !isOptionalText(start['id']) || !isOptionalText(start['name'])) {
      return 'WIRE_UNKNOWN_SHAPE'
    }
    if (!isOptionalText(start['toolset_name']) || (typeof input === 'string' && input !== '')) {
      return 'WIRE_UNKNOWN_SHAPE'
    }
    if (hasStrayArguments(start, CALL_MEMBERS)) return 'WIRE_UNKNOWN_SHAPE'
    const toolset = asText(start['toolset_name'])
    // clients that know no toolsets go by the name alone: it must not be that of another tool
    if (toolset !== null && (!this.#declared.has(toolset) || this.#declared.has(asText(start['name']) ?? ''))) {
      return 'WIRE_UNKNOWN_SHAPE'
    }
    if (late) return 'WIRE_CALL_REOPENED'
    if (skewed) return 'WIRE_INDEX_INVALID'
    if (call.name === null) return 'WIRE_NAME_MISSING'
    return call.id !== null && this.#ids.has(call.id) ? 'WIRE_ID_CHANGED' : null
  }
}

function fail(call: Call, reason: Reason, at: number, out: Message[]): void {
  if (call.faulted !== null) return
  call.faulted = reason
  out.push({ kind: 'fault', at, scope: 'call', reason, call: call.key })
}

/** Keeps input for the restore record, up to the cap; beyond it the record is lost. */
function keep(call: Call, text: string, limits: Limits): void {
  call.length += text.length
  if (call.length > limits.argumentBytes) call.overflow = true
  else call.pieces.push(text)
}

const isOptionalText = (value: unknown): boolean => value === undefined || value === null || typeof value === 'string'

/** What stands for a call outside of any block. */
const STRAY: Call = {
  key: '',
  id: null,
  name: null,
  start: {},
  given: null,
  pieces: [],
  length: 0,
  overflow: true,
  crossing: null,
  closed: true,
  faulted: 'WIRE_UNKNOWN_SHAPE',
}
