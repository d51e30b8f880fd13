import type { TextPiece } from '#pkg/path/codec/wire/shape'

/** Members of a delta or message that carry text, and no calls. */
export const TEXT_KEYS = ['content', 'refusal', 'reasoning', 'reasoning_content', 'thinking', 'text', 'audio'] as const

/** The text of a rebuilt member: what was decided about it. Parts that are no text cannot be vouched for. */
export function rebuiltText(
  key: string,
  value: unknown,
  texts: readonly TextPiece[],
  edited: (piece: TextPiece) => string | undefined,
): unknown {
  if (value === null || value === undefined) return value
  const own = texts.filter(({ member }) => member === key || member === `${key}.text`)
  if (typeof value !== 'object' && own.length === 0) return value
  return own.map((piece) => edited(piece) ?? piece.text).join('')
}
