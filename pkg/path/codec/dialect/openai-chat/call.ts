import type { ArgumentForm, CloseCause, Reason } from '#pkg/model'
import type { JsonScanner } from '#pkg/path/codec/wire/json'
import type { Json } from '#pkg/path/codec/wire/shape'

/** Where in the message a call stands: the list `tool_calls`, or the legacy member. */
export type CallPlace = 'tool' | 'function'

/** One call of an answer while it is read. */
export type Call = {
  readonly key: string
  readonly choice: number
  readonly place: CallPlace
  /** The index that the provider gave, null where it gave none. */
  readonly index: number | null
  /** How many calls stand before it in its choice. */
  readonly position: number
  form: ArgumentForm
  id: string | null
  name: string | null
  arguments: string[]
  /** UTF-16 units seen, also those beyond the cap. */
  length: number
  /** True when the arguments were longer than the cap and are not all kept. */
  overflow: boolean
  /** Follows the arguments so that "one complete JSON value" is known without reading them again. */
  scanner: JsonScanner | null
  closed: boolean
  faulted: Reason | null
  /** Members of the call beside id, type, index, function and custom: signatures that the provider wants back. */
  extra: Json
}

/** The call as the provider made it; what `restore` puts back. */
export type Original = {
  readonly place: CallPlace
  readonly position: number
  readonly form: ArgumentForm
  readonly id: string | null
  readonly name: string
  readonly arguments: string
  readonly extra: Json
}

/** The original of a call that has been read. */
export function originalOf(call: Call): Original {
  return {
    place: call.place,
    position: call.position,
    form: call.form,
    id: call.id,
    name: call.name ?? '',
    arguments: call.arguments.join(''),
    extra: call.extra,
  }
}

/** Finish reasons that end a choice whole; with any other one a call that is still open counts as broken off. */
const WHOLE = new Set(['stop', 'tool_calls', 'function_call', 'tool_use', 'end_turn', 'stop_sequence', 'eos'])

/** Finish reasons that say "calls follow": they become `stop` where none is left. WIRE.md §2. */
export const CALLS_FOLLOW: ReadonlySet<string> = new Set(['tool_calls', 'function_call', 'tool_use'])

/** How a call that is open at a finish reason closes. */
export function causeOf(finishReason: string, openCalls: number): CloseCause {
  if (!WHOLE.has(finishReason)) return 'truncated'
  return openCalls > 1 ? 'common' : 'own'
}
