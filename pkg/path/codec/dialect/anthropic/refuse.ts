import type { Decided } from '#pkg/model'
import { asObject, isEmpty, type Json, type TextPiece } from '#pkg/path/codec/wire/shape'
import type { Block } from './block.ts'
import { bareCall, isContentTouched, rebuildContent, refusalBlock } from './content.ts'
import type { EventNote } from './event.ts'
import { mainOf } from './texts.ts'

/** What left of one message so far. */
type Left = {
  /** Text was released before, so that a refusal begins after a blank line. */
  hasText: boolean
  /** How many calls were refused, and how many left. */
  refused: number
  released: number
  /** Blocks of our own that stand before the next block of the provider's. */
  shift: number
  /** Blocks of the provider's that have left, and under which index. */
  readonly indices: Map<Block, number>
  next: number
}

/** Rewrites events where a call was refused or text was cut out. */
export type Rewriter = {
  /** The bytes that leave for an event, or null when its own may. */
  event(note: EventNote, named: boolean, decided: Decided): readonly Uint8Array[] | null
}

/** What was decided about one event. */
type How = {
  /** A call outside of any block was refused in it. */
  readonly isStray: boolean
  /** It leaves without what nobody defines. */
  readonly isBare: boolean
  readonly decided: Decided
}

const encoder = new TextEncoder()

/** Members of a message that a rebuilt start keeps; nothing else can be vouched for. */
const KEPT_IN_MESSAGE = ['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'] as const

/** Makes the rewriter of one streamed answer. WIRE.md §2, row "Anthropic". */
export function newRewriter(): Rewriter {
  return new EventRewriter()
}

class EventRewriter implements Rewriter {
  #left: Left = nothingLeft()
  /** Thinking that was edited: its signature vouches for what has not left. */
  readonly #edited = new Set<Block>()

  event(note: EventNote, named: boolean, decided: Decided): readonly Uint8Array[] | null {
    const starts = note.type === 'message_start'
    if (starts) this.#left = nothingLeft()
    const refused = note.strays.flatMap((key) => textOf(key, decided))
    this.#left.refused += refused.length
    // a refusal without a place of its own stands before the event, or right behind the start of its message
    const before = starts ? [] : refused.flatMap((text) => this.#tellNext(text))
    const isStray = refused.length > 0
    const rebuilt = this.#rebuild(note, { isStray, isBare: isStray || isEdited(note.more, decided), decided })
    const behind = starts ? refused.flatMap((text) => this.#tellNext(text)) : []
    if (refused.length === 0 && rebuilt === null) return null
    return [...before, ...(rebuilt ?? [note.value]), ...behind].map((event) => bytesOf(event, named))
  }

  /** The events that leave instead; null = the event as it came. */
  #rebuild(note: EventNote, how: How): readonly Json[] | null {
    const { block, type } = note
    switch (type) {
      case 'message_start':
        return this.#start(note, how)
      case 'content_block_start':
        return block === null ? null : this.#blockStart(note, block, how)
      case 'content_block_delta':
      case 'content_block_stop':
        return block === null ? null : this.#ofBlock(note, block, how)
      case 'message_delta':
        return this.#messageDelta(note, how)
      case 'message_stop':
        return how.isBare ? [{ type }] : null
      default:
        return how.isBare ? [] : null
    }
  }

  #start({ value, content }: EventNote, { isBare, decided }: How): readonly Json[] | null {
    if (content === null) return null
    const left = this.#left
    for (const block of content.blocks) {
      if (block.call === null) continue
      if (decided.outcome(block.call.key).kind === 'released') left.released += 1
      else left.refused += 1
    }
    left.hasText = content.texts.some(({ kind }) => kind === 'text')
    left.next = content.blocks.length
    if (!isBare && !isContentTouched(content, decided)) return null
    const message = asObject(value['message']) ?? {}
    const kept: Record<string, unknown> = {}
    for (const key of isBare ? KEPT_IN_MESSAGE : Object.keys(message)) kept[key] = message[key]
    if (isBare) kept['usage'] = { input_tokens: 0, output_tokens: 0 }
    const blocks = rebuildContent(content, decided)
    kept['content'] = blocks
    kept['stop_reason'] = this.#stopReason(message['stop_reason'])
    left.shift = blocks.length - content.blocks.length
    left.next = blocks.length
    left.hasText ||= blocks.some((block) => block['type'] === 'text')
    return [{ type: 'message_start', message: kept }]
  }

  #blockStart(note: EventNote, block: Block, { isBare, decided }: How): readonly Json[] | null {
    const left = this.#left
    // where an index leaves a gap, clients that keep blocks in a list would miss the refusal, or end
    const gap = block.call?.faulted === 'WIRE_INDEX_INVALID'
    const index = gap ? left.next : block.index + left.shift
    left.indices.set(block, index)
    left.next = Math.max(left.next, index + 1)
    const outcome = block.call === null ? null : decided.outcome(block.call.key)
    if (outcome?.kind === 'refused') {
      left.refused += 1
      return this.#tell(outcome.text, index)
    }
    if (outcome !== null) left.released += 1
    left.hasText ||= hasText(note.texts)
    if (!isEdited(note.texts, decided)) return this.#moved(note, block, isBare)
    if (block.kind === 'thinking') this.#edited.add(block)
    return [{ type: note.type, index, content_block: startOf(block, note.texts, decided) }]
  }

  /** A delta or the stop of a block. Nothing of a refused call leaves. */
  #ofBlock(note: EventNote, block: Block, { isStray, isBare, decided }: How): readonly Json[] | null {
    const { call } = block
    const isDelta = note.type === 'content_block_delta'
    if (call !== null && decided.outcome(call.key).kind === 'refused') return []
    if (isStray && isDelta) return []
    this.#left.hasText ||= hasText(note.texts)
    if (!isEdited(note.texts, decided)) {
      // the signature vouches for what has not left
      return isDelta && isSignature(note.value) && this.#edited.has(block) ? [] : this.#moved(note, block, isBare)
    }
    const main = mainOf(note.texts)
    if (main === undefined) return call === null ? [] : this.#moved(note, block, true)
    const text = decidedText(main, decided)
    if (main.kind === 'reasoning') this.#edited.add(block)
    const delta = main.kind === 'reasoning' ? { type: 'thinking_delta', thinking: text } : { type: 'text_delta', text }
    return [{ type: note.type, index: this.#indexOf(block), delta }]
  }

  #messageDelta({ type, value }: EventNote, { isBare }: How): readonly Json[] | null {
    const delta = asObject(value['delta']) ?? {}
    const reason = delta['stop_reason'] ?? null
    const mapped = this.#stopReason(reason)
    if (isBare) return [{ type, delta: bareDelta(delta, mapped), usage: { output_tokens: 0 } }]
    return mapped === reason ? null : [{ ...value, delta: { ...delta, stop_reason: mapped } }]
  }

  /** "Calls follow" is no longer true where none is left. */
  #stopReason(reason: unknown): unknown {
    return reason === 'tool_use' && this.#left.refused > 0 && this.#left.released === 0 ? 'end_turn' : reason
  }

  #indexOf(block: Block): number {
    return this.#left.indices.get(block) ?? block.index
  }

  /** The event as it came, under the index that its block has got; bare = without members that nobody defines. */
  #moved({ type, value }: EventNote, block: Block, isBare: boolean): readonly Json[] | null {
    const index = this.#indexOf(block)
    if (!isBare) return index === block.index ? null : [{ ...value, index }]
    if (type === 'content_block_start') return [{ type, index, content_block: block.start }]
    if (type === 'content_block_stop') return [{ type, index }]
    const delta = asObject(value['delta']) ?? {}
    return [{ type, index, delta: block.call === null ? delta : bareInput(delta) }]
  }

  /** The refusal in the place of a call: a block of text, whole at once. */
  #tell(text: string, index: number): readonly Json[] {
    const block = refusalBlock(text, this.#left.hasText)
    this.#left.hasText = true
    return [
      { type: 'content_block_start', index, content_block: textBlock('') },
      { type: 'content_block_delta', index, delta: { type: 'text_delta', text: block['text'] } },
      { type: 'content_block_stop', index },
    ]
  }

  /** The refusal as one more block behind those that have left. */
  #tellNext(text: string): readonly Json[] {
    const index = this.#left.next
    this.#left.next += 1
    this.#left.shift += 1
    return this.#tell(text, index)
  }
}

function textOf(key: string, decided: Decided): readonly string[] {
  const outcome = decided.outcome(key)
  return outcome.kind === 'refused' ? [outcome.text] : []
}

function nothingLeft(): Left {
  return { hasText: false, refused: 0, released: 0, shift: 0, indices: new Map(), next: 0 }
}

const textBlock = (text: string): Json => ({ type: 'text', text })

const isSignature = (value: Json): boolean => asObject(value['delta'])?.['type'] === 'signature_delta'

const bareDelta = (delta: Json, reason: unknown): Json => ({
  stop_reason: reason,
  stop_sequence: isEmpty(delta['stop_sequence']) ? null : delta['stop_sequence'],
})

/** A piece of input without members that nobody defines. */
const bareInput = ({ type, partial_json }: Json): Json => ({ type, partial_json })

/** A block as it starts, with its texts as they were decided. What nobody defines becomes text. */
function startOf(block: Block, texts: readonly TextPiece[], decided: Decided): Json {
  if (block.call !== null) return bareCall(block.start)
  const main = mainOf(texts)
  if (block.kind === 'thinking') {
    return { type: 'thinking', thinking: main === undefined ? '' : decidedText(main, decided), signature: '' }
  }
  if (main !== undefined || block.kind === 'text')
    return textBlock(main === undefined ? '' : decidedText(main, decided))
  return textBlock(texts.map((piece) => decidedText(piece, decided)).join('\n'))
}

function decidedText({ kind, member, text }: TextPiece, decided: Decided): string {
  return decided.text({ choice: 0, kind, member }) ?? text
}

function isEdited(texts: readonly TextPiece[], decided: Decided): boolean {
  return texts.some(({ kind, member }) => decided.text({ choice: 0, kind, member }) !== undefined)
}

const hasText = (texts: readonly TextPiece[]): boolean => texts.some(({ kind }) => kind === 'text')

function bytesOf(event: Json, named: boolean): Uint8Array {
  const data = `data: ${JSON.stringify(event)}\n\n`
  return encoder.encode(named ? `event: ${String(event['type'])}\n${data}` : data)
}
