import type { Limits, Reason } from '#pkg/model'
import { asObject, asText, type Json } from '#pkg/path/codec/wire/shape'
import { type JsonPath, readJsonPath } from './json-path.ts'
import { bothNames, isTwofold, member, present } from './names.ts'

/** One value in the making. Strings grow; everything else comes at once. */
type Node =
  | { readonly kind: 'object'; readonly members: Map<string, Node> }
  | { readonly kind: 'list'; readonly items: Node[] }
  | { readonly kind: 'string'; readonly pieces: string[] }
  | { readonly kind: 'word'; readonly text: string }
type Container = Extract<Node, { kind: 'object' | 'list' }>

/** One element of `partialArgs`. `text` adds to a string, `word` is a whole number, truth value or null. */
type Piece = {
  readonly path: JsonPath
  readonly text: string | null
  readonly word: string | null
  readonly goesOn: boolean
}

const PIECE_KEYS = bothNames('jsonPath', 'stringValue', 'numberValue', 'boolValue', 'nullValue', 'willContinue')
const VALUES = ['stringValue', 'numberValue', 'boolValue', 'nullValue'] as const

/**
 * The arguments of a call that come in pieces, each under the JSON path of the value that it is part of.
 *
 * Clients put them together in different ways: by path, or by writing JSON in the order in which the pieces come. Only
 * what all of them build alike is built: values come in the order of the text, a container that was left is not
 * entered again, positions have no gaps, one string at a time grows and says when it ends. O(units).
 */
export class PartialArgs {
  readonly #limits: Pick<Limits, 'argumentBytes' | 'jsonDepth'>
  readonly #root: Container = { kind: 'object', members: new Map() }
  #last: JsonPath = []
  #growing = false
  #units = 0

  constructor(limits: Pick<Limits, 'argumentBytes' | 'jsonDepth'>) {
    this.#limits = limits
  }

  /** Takes one element of `partialArgs`; the reason why no client can be sure what it means, or null. */
  take(element: unknown): Reason | null {
    const piece = readPiece(element)
    if (piece === null) return 'WIRE_ARGUMENT_SHAPE'
    if (piece.path.length >= this.#limits.jsonDepth) return 'WIRE_DEPTH'
    this.#units +=
      (piece.text ?? piece.word ?? '').length + piece.path.reduce<number>((sum, step) => sum + `${step}`.length + 1, 0)
    if (this.#units > this.#limits.argumentBytes) return 'WIRE_ARGUMENT_TOO_LARGE'
    return this.#place(piece) ? null : 'WIRE_ARGUMENT_SHAPE'
  }

  /** False while a string has not said that it ends. */
  get whole(): boolean {
    return !this.#growing
  }

  /** The arguments as one JSON text. */
  text(): string {
    return written(this.#root)
  }

  #place(piece: Piece): boolean {
    const { path } = piece
    const shared = sharedSteps(path, this.#last)
    const same = shared === path.length && shared === this.#last.length
    if (this.#growing) {
      if (!same || piece.word !== null) return false
      this.#growing = piece.goesOn
      return this.#add(piece)
    }
    if (piece.text === null && piece.word === null) return false
    const holder = this.#enter(path, shared)
    const step = path.at(-1)
    if (holder === null || step === undefined || !isFree(holder, step)) return false
    put(
      holder,
      step,
      piece.word === null ? { kind: 'string', pieces: [piece.text ?? ''] } : { kind: 'word', text: piece.word },
    )
    this.#last = path
    this.#growing = piece.word === null && piece.goesOn
    return piece.word === null || !piece.goesOn
  }

  #add(piece: Piece): boolean {
    let node: Node | null = this.#root
    for (const step of piece.path) node = node === null ? null : childOf(node, step)
    if (node?.kind !== 'string') return false
    if (piece.text !== null) node.pieces.push(piece.text)
    return true
  }

  /** The container of the last step; those on the way are made where they are new, and must be the ones in hand else. */
  #enter(path: JsonPath, shared: number): Container | null {
    let here: Container = this.#root
    for (let depth = 0; depth < path.length - 1; depth += 1) {
      const step = path[depth]
      if (step === undefined || !fits(here, step)) return null
      const known: Node | null = childOf(here, step)
      if (known !== null && (depth >= shared || (known.kind !== 'object' && known.kind !== 'list'))) return null
      const next: Container | null =
        known === null ? newContainer(path[depth + 1]) : known.kind === 'object' || known.kind === 'list' ? known : null
      if (next === null) return null
      if (known === null) {
        if (!isFree(here, step)) return null
        put(here, step, next)
      }
      here = next
    }
    return here
  }
}

function readPiece(element: unknown): Piece | null {
  const value = asObject(element)
  if (value === null) return null
  for (const key in value) if (!PIECE_KEYS.has(key)) return null
  const twofold = ['jsonPath', 'willContinue', ...VALUES].some((name) => isTwofold(value, name))
  const path = readJsonPath(asText(member(value, 'jsonPath')) ?? '')
  const more = member(value, 'willContinue')
  if (twofold || path === null || (present(more) && typeof more !== 'boolean')) return null
  const read = readValue(value)
  return read === null ? null : { path, ...read, goesOn: more === true }
}

/** The one value of a piece; without any it only says that a string ends. */
function readValue(value: Json): Pick<Piece, 'text' | 'word'> | null {
  const given = VALUES.filter((name) => present(member(value, name)))
  if (given.length > 1) return null
  const name = given[0]
  const own = name === undefined ? undefined : member(value, name)
  if (name === undefined) return { text: null, word: null }
  if (name === 'stringValue') return typeof own === 'string' ? { text: own, word: null } : null
  if (name === 'boolValue') return typeof own === 'boolean' ? { text: null, word: String(own) } : null
  if (name === 'nullValue') return own === 'NULL_VALUE' || own === 0 ? { text: null, word: 'null' } : null
  if (typeof own !== 'number') return null
  return { text: null, word: Object.is(own, -0) ? '-0' : JSON.stringify(own) }
}

function sharedSteps(a: JsonPath, b: JsonPath): number {
  let shared = 0
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared += 1
  return shared
}

function newContainer(first: string | number | undefined): Container {
  return typeof first === 'number' ? { kind: 'list', items: [] } : { kind: 'object', members: new Map() }
}

/** A name for an object, a position for a list. */
function fits(holder: Container, step: string | number): boolean {
  return (holder.kind === 'list') === (typeof step === 'number')
}

/** True for a place that has no value yet: a new name, or the next position. */
function isFree(holder: Container, step: string | number): boolean {
  if (holder.kind === 'list') return step === holder.items.length
  return typeof step === 'string' && !holder.members.has(step)
}

function childOf(node: Node, step: string | number): Node | null {
  if (node.kind === 'list') return typeof step === 'number' ? (node.items[step] ?? null) : null
  return node.kind === 'object' && typeof step === 'string' ? (node.members.get(step) ?? null) : null
}

function put(holder: Container, step: string | number, node: Node): void {
  if (holder.kind === 'list') holder.items.push(node)
  else holder.members.set(String(step), node)
}

function written(node: Node): string {
  switch (node.kind) {
    case 'word':
      return node.text
    case 'string':
      return JSON.stringify(node.pieces.join(''))
    case 'list':
      return `[${node.items.map(written).join(',')}]`
    case 'object':
      return `{${[...node.members].map(([key, value]) => `${JSON.stringify(key)}:${written(value)}`).join(',')}}`
  }
}
