import type { Reason } from './reasons.ts'
import type { ServerRequest } from './snapshot.ts'

/**
 * One thread of text in an answer. `text`, `refusal` and `reasoning` are what clients join by choice;
 * `other` is any further text that a client may show or read (a transcript, an echo).
 */
export type Channel = {
  readonly choice: number
  readonly kind: 'text' | 'refusal' | 'reasoning' | 'other'
  /** The member that the text stands in: clients that read one member do not see the pieces of another between. */
  readonly member: string
}

/** The map key of a channel. */
export function channelKey(channel: Channel): string {
  return `${channel.choice}:${channel.member}`
}

/** Why a call closed: by its own mark, together with others at the end of their choice, or because the answer broke off. */
export type CloseCause = 'own' | 'common' | 'truncated'

/** How the arguments of a call are written: one JSON object, or free text (a custom tool). */
export type ArgumentForm = 'json' | 'text'

/** One tool as its server describes it. */
export type ToolDescriptor = { readonly name: string; readonly value: Readonly<Record<string, unknown>> }

/** One page of a server's list of tools. `cursor` is what was asked with, `next` what leads on; null = none. */
export type ToolPage = {
  readonly tools: readonly ToolDescriptor[]
  readonly cursor: string | null
  readonly next: string | null
}

/**
 * What a dialect reads out of frames, in order. `at` is the byte offset in the entity at which it became known.
 * `call` is the dialect's key for one call, unique in its answer; never shown to a person.
 */
export type Message =
  | { readonly kind: 'text'; readonly at: number; readonly channel: Channel; readonly text: string }
  | {
      readonly kind: 'call-open'
      readonly at: number
      readonly call: string
      readonly name: string
      readonly form: ArgumentForm
    }
  | { readonly kind: 'call-delta'; readonly at: number; readonly call: string; readonly text: string }
  | { readonly kind: 'call-close'; readonly at: number; readonly call: string; readonly cause: CloseCause }
  /** The other side asks the client for something. It is one thing to decide, like a call. */
  | { readonly kind: 'ask'; readonly at: number; readonly call: string; readonly request: ServerRequest }
  /** The other side says which tools it has. It is one thing to decide, like a call. */
  | { readonly kind: 'list'; readonly at: number; readonly call: string; readonly page: ToolPage }
  | {
      readonly kind: 'fault'
      readonly at: number
      readonly scope: 'call' | 'stream'
      readonly reason: Reason
      readonly call: string | null
    }

/** A whole call, as the checks see it at its close. */
export type ToolCall = {
  readonly call: string
  readonly name: string
  readonly form: ArgumentForm
  /** The arguments as written. */
  readonly argumentText: string
  /** The parsed arguments; for a custom tool `{ input: argumentText }`. Only set when the wire check found nothing. */
  readonly args: Readonly<Record<string, unknown>>
}
