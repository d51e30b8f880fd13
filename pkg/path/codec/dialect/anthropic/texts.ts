import { type Json, type TextPiece, textsOf } from '#pkg/path/codec/wire/shape'
import { type Block, type BlockKind, CALL_MEMBERS, membersOf } from './block.ts'

/**
 * Text that a block brings with its start, the block's own first; null = it has none that can be read. What the
 * provider ran is evidence, not text of the model.
 */
export function startTexts({ start, kind }: Block): readonly TextPiece[] | null {
  if (kind === 'evidence') return []
  const own = ownText(kind, start)
  const more = othersOf('block', start, kind === 'call' ? CALL_MEMBERS : membersOf(start))
  if (own === null || more === null) return null
  return more.length === 0 ? own : [...own, ...more]
}

function ownText(kind: BlockKind, start: Json): readonly TextPiece[] | null {
  if (kind === 'text') return pieceOf('text', 'text', start['text'])
  if (kind === 'thinking') return pieceOf('thinking', 'reasoning', start['thinking'])
  return start['type'] === 'compaction' ? pieceOf('compaction', 'other', start['content']) : []
}

/** Texts of members that nobody defines, under names of their own; null = too many to read. */
export function othersOf(where: string, value: Json, known: ReadonlySet<string>): readonly TextPiece[] | null {
  let unknown: Record<string, unknown> | null = null
  for (const key in value) {
    if (known.has(key)) continue
    unknown ??= {}
    unknown[key] = value[key]
  }
  if (unknown === null) return NONE
  const texts = textsOf(unknown)
  if (texts === null) return null
  return texts.map(({ member, text }) => ({ member: `${where} ${member}`, kind: 'other', text }))
}

const NONE: readonly TextPiece[] = []

/** A text that a client joins to others of its kind: the block's or the delta's own. */
export function mainOf(texts: readonly TextPiece[]): TextPiece | undefined {
  return texts.find(({ kind }) => kind === 'text' || kind === 'reasoning')
}

/** One text, none for what is absent; null for what is no text. */
function pieceOf(member: string, kind: TextPiece['kind'], text: unknown): readonly TextPiece[] | null {
  if (text === undefined || text === null || text === '') return []
  return typeof text === 'string' ? [{ member, kind, text }] : null
}

/** An edited text over the pieces that it was joined of; what is new goes to the first piece that the edit touches. */
export function spread(pieces: readonly string[], joined: string, edited: string): readonly string[] {
  const most = Math.min(joined.length, edited.length)
  let before = 0
  while (before < most && joined[before] === edited[before]) before += 1
  let behind = 0
  while (behind < most - before && joined.at(-1 - behind) === edited.at(-1 - behind)) behind += 1
  const rest = joined.length - behind
  let fresh: string | null = edited.slice(before, edited.length - behind)
  let at = 0
  return pieces.map((piece, position) => {
    const start = at
    const end = at + piece.length
    at = end
    let text = joined.slice(start, Math.max(start, Math.min(end, before)))
    if (fresh !== null && (end > before || position === pieces.length - 1)) {
      text += fresh
      fresh = null
    }
    return text + joined.slice(Math.min(end, Math.max(start, rest)), end)
  })
}
