import type { Decided, Message } from '#pkg/model'
import { elementSpans, valueSpan } from '#pkg/path/codec/wire/json'
import { asObject, isEmpty, type Json, type TextPiece } from '#pkg/path/codec/wire/shape'
import { type Block, CALL_MEMBERS } from './block.ts'
import type { CallTracker } from './blocks.ts'
import { mainOf, spread, startTexts } from './texts.ts'

/** A list of finished blocks: the content of a whole answer, or what a message of a stream starts with. */
export type ContentNote = {
  readonly blocks: readonly Block[]
  /** Texts of the blocks, joined by member over all of them, as clients join them. */
  readonly texts: readonly TextPiece[]
}

/** Blocks of one message; a provider that makes up more is not read. */
export const MAX_BLOCKS = 4096

/** Reads a list of finished blocks. `from.text` is the JSON of the object whose `content` it is. null = malformed. */
export function readContent(
  tracker: CallTracker,
  list: readonly unknown[],
  from: { readonly text: string; readonly at: number },
  out: Message[],
): ContentNote | null {
  if (list.length > MAX_BLOCKS) return null
  const blocks: Block[] = []
  const joined = new Map<string, TextPiece>()
  const inputs = inputsOf(from.text, list)
  for (const [index, entry] of list.entries()) {
    const start = asObject(entry)
    if (start === null) return null
    const input = inputs[index] ?? null
    const block = tracker.open({ start, index, input, skewed: false, late: false }, from.at, out)
    tracker.close(block, 'own', from.at, out)
    blocks.push(block)
    const texts = startTexts(block)
    if (texts === null) return null
    for (const piece of texts) {
      const before = joined.get(piece.member)
      joined.set(piece.member, before === undefined ? piece : { ...piece, text: before.text + piece.text })
    }
    const last = out.at(-1)
    if (last?.kind === 'fault' && last.scope === 'stream') break // nothing after it can be let through
  }
  return { blocks, texts: [...joined.values()] }
}

/** The inputs of the blocks, as they are written. */
function inputsOf(text: string, list: readonly unknown[]): readonly (string | null)[] {
  if (!list.some((entry) => !isEmpty(asObject(entry)?.['input']))) return []
  return (elementSpans(text, ['content']) ?? []).map(({ start, end }) => {
    const block = text.slice(start, end)
    const span = valueSpan(block, ['input'])
    return span === null ? null : block.slice(span.start, span.end)
  })
}

/** Was anything in the list refused or edited? */
export function isContentTouched({ blocks, texts }: ContentNote, decided: Decided): boolean {
  if (blocks.some(({ call }) => call !== null && decided.outcome(call.key).kind === 'refused')) return true
  return texts.some(({ kind, member }) => decided.text({ choice: 0, kind, member }) !== undefined)
}

/** The list as it may leave: refusals in the places of calls, texts as they were decided. */
export function rebuildContent({ blocks, texts }: ContentNote, decided: Decided): readonly Json[] {
  const edits = new Map<string, readonly string[]>()
  for (const { kind, member, text } of texts) {
    const edited = decided.text({ choice: 0, kind, member })
    if (edited !== undefined) edits.set(member, spread(ownTexts(blocks, member), text, edited))
  }
  let hasText = false
  const out: Json[] = []
  for (const [position, block] of blocks.entries()) {
    const edited = (member: string): string | undefined => edits.get(member)?.[position]
    const outcome = block.call === null ? null : decided.outcome(block.call.key)
    const refused: Json | null = outcome?.kind === 'refused' ? refusalBlock(outcome.text, hasText) : null
    const rebuilt: Json | null = refused ?? rebuildBlock(block, edited)
    if (rebuilt === null) continue
    hasText ||= rebuilt['type'] === 'text' && rebuilt['text'] !== ''
    out.push(rebuilt)
  }
  return out
}

function ownTexts(blocks: readonly Block[], member: string): readonly string[] {
  return blocks.map((block) => startTexts(block)?.find((piece) => piece.member === member)?.text ?? '')
}

/** A block with its texts as they were decided; null where nothing is left of it. A signature vouches for the old text. */
function rebuildBlock(block: Block, edited: (member: string) => string | undefined): Json | null {
  const own = startTexts(block) ?? []
  if (own.every(({ member, text }) => (edited(member) ?? text) === text)) return block.start
  if (block.call !== null) return bareCall(block.start)
  const main = mainOf(own)
  const text = main === undefined ? '' : (edited(main.member) ?? main.text)
  if (text === '') return null
  return block.kind === 'thinking' ? { type: 'thinking', thinking: text, signature: '' } : { type: 'text', text }
}

/** A call without members that nobody defines. */
export function bareCall(start: Json): Json {
  return Object.fromEntries(Object.entries(start).filter(([key]) => CALL_MEMBERS.has(key)))
}

/** A refusal as a block of its own; after a blank line where text stands before it. */
export function refusalBlock(text: string, hasText: boolean): Json {
  return { type: 'text', text: hasText ? `\n\n${text}` : text }
}
