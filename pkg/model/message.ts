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

/** One piece of what agents say to each other. `bytes` of a file are base64 as they were written; null = it has none. */
export type SaidPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'data'; readonly value: unknown }
  | {
      readonly kind: 'file'
      readonly name: string | null
      readonly mediaType: string | null
      readonly uri: string | null
      readonly bytes: string | null
    }

/** One thing that an agent says to another: a message, what became of a task, or where to tell of one. */
export type Said = {
  readonly about: 'message' | 'task' | 'status' | 'artifact' | 'notify'
  /** True where work is handed over. */
  readonly delegates: boolean
  readonly parts: readonly SaidPart[]
  /** Addresses at which the other agent is to tell of a task. */
  readonly notify: readonly string[]
  /** Skills that are asked for by name. */
  readonly skills: readonly string[]
  readonly task: string | null
  readonly context: string | null
}

/** What an agent says of itself. */
export type AgentCard = {
  readonly value: Readonly<Record<string, unknown>>
  /** `public`: anybody gets it; `extended`: only those who may ask for it. */
  readonly kind: 'public' | 'extended'
  /** The version of the protocol that it was asked in: some agents have one card for each. */
  readonly version: string
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
  /** One agent says something to another. It is one thing to decide, like a call. */
  | { readonly kind: 'said'; readonly at: number; readonly call: string; readonly said: Said }
  /** The other agent says what it is. It is one thing to decide, like a call. */
  | { readonly kind: 'card'; readonly at: number; readonly call: string; readonly card: AgentCard }
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
