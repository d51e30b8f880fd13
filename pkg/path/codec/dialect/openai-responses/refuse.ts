import { type Json, verdictIdsIn } from '#pkg/path/codec/wire/shape'
import type { Slot } from './slot.ts'

/** How the ids of messages begin that stand for a refused call; the verdict's id follows. */
export const REFUSAL_ID = 'msg_sp_'

/** A refusal in the place of a call. */
export type RefusalMessage = { readonly id: string; readonly text: string; readonly structured: boolean }

/** The message for a refused call. `structured` = the answer's text has a format, which a refusal would break. */
export function refusalMessage(slot: Slot, text: string, structured: boolean): RefusalMessage {
  const verdict = verdictIdsIn(text)[0] ?? (slot.keys[0] ?? '').replace(/[^0-9A-Za-z]/g, '_')
  return { id: `${REFUSAL_ID}${verdict}`, text, structured }
}

function partOf({ text, structured }: RefusalMessage, full: boolean): Json {
  return structured
    ? { type: 'refusal', refusal: full ? text : '' }
    : { type: 'output_text', annotations: [], logprobs: [], text: full ? text : '' }
}

/** The item as it stands in `output_item.done` and in every snapshot. */
export function refusalItem(message: RefusalMessage): Json {
  return {
    id: message.id,
    type: 'message',
    status: 'completed',
    content: [partOf(message, true)],
    role: 'assistant',
  }
}

/** A whole message item at the place of the call: what every client and helper reads. WIRE.md §2. */
export function refusalEvents(message: RefusalMessage, index: number): readonly Json[] {
  const { id, text, structured } = message
  const item = { id, type: 'message', status: 'in_progress', content: [], role: 'assistant' }
  const here = { item_id: id, output_index: index, content_index: 0 }
  const told = structured
    ? [
        { type: 'response.refusal.delta', ...here, delta: text },
        { type: 'response.refusal.done', ...here, refusal: text },
      ]
    : [
        { type: 'response.output_text.delta', ...here, delta: text, logprobs: [] },
        { type: 'response.output_text.done', ...here, text, logprobs: [] },
      ]
  return [
    { type: 'response.output_item.added', output_index: index, item },
    { type: 'response.content_part.added', ...here, part: partOf(message, false) },
    ...told,
    { type: 'response.content_part.done', ...here, part: partOf(message, true) },
    { type: 'response.output_item.done', output_index: index, item: refusalItem(message) },
  ]
}
