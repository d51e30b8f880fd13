import type { Plan } from '../answer.ts'
import type { StreamEvent } from '../events.ts'
import type { JsonObject } from '../faults.ts'
import type { ChatRequest } from '../request.ts'

/** An error answer in the words of its provider. */
export type Refused = { readonly ok: false; readonly status: number; readonly body: object }

/** A request that was read: what is asked, and what the renderer needs besides. */
export type Read<More> = { readonly ok: true; readonly request: ChatRequest; readonly more: More }

/** A provider's API: a request becomes a chat, the plan of its answer becomes that provider's bytes. */
export type OtherApi<More> = {
  /** Where its answers stream. `path` has no query. null = not mine. */
  read(path: string, query: string, body: unknown): Read<More> | Refused | null
  events(plan: Plan, read: Read<More>): Iterable<StreamEvent>
  whole(plan: Plan, read: Read<More>): object
  /** Content type of a streamed answer. */
  streamType(read: Read<More>): string
}

/** One turn of a conversation, as all APIs have it: what was said, called, and answered. */
export type Turn = {
  readonly role: 'user' | 'assistant'
  readonly text: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly results: readonly { readonly id: string; readonly text: string }[]
}

/** The turns as chat messages: results first, as they answer what came before. */
export function chatOf(turns: readonly Turn[]): readonly JsonObject[] {
  return turns.flatMap(({ role, text, calls, results }): JsonObject[] => {
    const answered = results.map((result) => ({ role: 'tool', tool_call_id: result.id, content: result.text }))
    if (role === 'user') return text === '' ? answered : [...answered, { role, content: text }]
    const tool_calls = calls.map(({ id, name, arguments: args }) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    }))
    return [...answered, { role, content: text, ...(calls.length > 0 ? { tool_calls } : {}) }]
  })
}

/** Calls must be answered, all of them, by the very next turn; nothing else may be answered. null = they are. */
export function pairingFault(turns: readonly Turn[]): string | null {
  let open: readonly string[] = []
  for (const [index, turn] of turns.entries()) {
    const answered = turn.results.map(({ id }) => id)
    const missing = open.find((id) => !answered.includes(id))
    if (missing !== undefined) return `turn ${index}: no result follows the call ${missing}`
    const stray = answered.find((id) => !open.includes(id))
    if (stray !== undefined) return `turn ${index}: a result for ${stray}, which was not called`
    open = turn.calls.map(({ id }) => id)
  }
  return open.length === 0 ? null : `the last turn leaves the call ${open[0]} unanswered`
}
