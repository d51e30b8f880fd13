import type { Channel, Message } from '#pkg/model'
import { asObject, type Json, textOf } from './shape.ts'

/** Text of one choice in one frame, by channel. */
export type Texts = { text: string; refusal: string; reasoning: string; other: string }

/** Members of a delta or message that carry text, and no calls. */
export const TEXT_KEYS = ['content', 'refusal', 'reasoning', 'reasoning_content', 'thinking', 'text', 'audio'] as const

/** Joins the text members of a delta (or of a whole message) into the channels that clients keep. */
export function textsOf(delta: Json): Texts {
  const content = textOf(delta['content'])
  const audio = asObject(delta['audio'])
  return {
    text: content.text,
    refusal: textOf(delta['refusal']).text,
    reasoning:
      content.reasoning +
      textOf(delta['reasoning']).text +
      textOf(delta['reasoning_content']).text +
      textOf(delta['thinking']).text,
    other: textOf(delta['text']).text + textOf(audio?.['transcript']).text,
  }
}

const KINDS: readonly Channel['kind'][] = ['text', 'refusal', 'reasoning', 'other']

/** Text messages of one choice, one for each channel that has text. */
export function pushTexts(texts: Texts, choice: number, at: number, out: Message[]): void {
  for (const kind of KINDS) {
    const text = texts[kind]
    if (text !== '') out.push({ kind: 'text', at, channel: { choice, kind }, text })
  }
}
