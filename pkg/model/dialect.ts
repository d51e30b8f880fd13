import type { Headers, HostTarget } from './exchange.ts'
import type { Frame } from './frame.ts'
import type { History } from './history.ts'
import type { Limits } from './limits.ts'
import type { Channel, Message } from './message.ts'
import type { Reason } from './reasons.ts'
import type { ProviderType } from './snapshot.ts'
import type { Direction, Verdict } from './verdict.ts'

/** A (method, path) that a dialect owns. WIRE.md rule 9. */
export type Endpoint = {
  readonly name: string
  readonly method: string
  /** Below the facade's base, without query: `/chat/completions`. */
  readonly path: string
  /** The query as it goes upstream, empty or with its `?`; undefined = as it came. */
  readonly query?: string
  /**
   * `judged`: answers may hold calls. `plain`: JSON that never does (model lists, embeddings). `empty`: nobody reads the
   * body of an answer, so none is delivered.
   */
  readonly kind: 'judged' | 'plain' | 'empty'
  /** The tool server that it goes to, whose address is the policy's; undefined = a provider. */
  readonly server?: string
  /** The other agent that it goes to, whose address is the policy's. */
  readonly peer?: string
  /** The other agent that it comes from, by its entry in the policy of the agent that is asked; known once it has proved who it is. */
  readonly caller?: string
  /** Below the address of a peer, or of the agent's own server: where it goes. `atRoot`: below the root of its host, and where that is not found, below the address. */
  readonly below?: { readonly path: string; readonly atRoot: boolean }
  /** How an answer streams that was asked to; undefined = as server-sent events. */
  readonly framing?: StreamFraming
}

/** `sse`: server-sent events. `json-array`: one JSON array, element after element. */
export type StreamFraming = 'sse' | 'json-array'

/** Where in an open stream bytes of ours would stand, for a framing that has a beginning and an end. */
export type StreamPlace = {
  readonly framing: StreamFraming
  /** What of the body has left: no byte, something, or all of it. */
  readonly written: 'nothing' | 'open' | 'closed'
}

/** A provider-hosted tool that a request turns on. WIRE.md rule 10. */
export type HostedTool = {
  readonly name: string
  readonly serverUrl: string | null
  /** True when every call of it waits for the client's approval. */
  readonly asksAlways?: boolean
}

/** What a dialect reads out of a request. The body is the client's own bytes. */
export type RequestView = {
  readonly endpoint: Endpoint
  /** Whose grants open it; null = those of the tool server or the peer that the endpoint names. */
  readonly provider: ProviderType | null
  readonly body: Uint8Array
  /** The parsed body; null for a method without one. */
  readonly value: Readonly<Record<string, unknown>> | null
  readonly model: string | null
  /** True for a request that speaks of no model, such as the list of models: any grant of its provider opens it. */
  readonly modelless: boolean
  readonly stream: boolean
  /** Names of the function and custom tools that the request declares. */
  readonly tools: readonly string[]
  readonly hostedTools: readonly HostedTool[]
  /** True when a refusal has to be written as `refusal`, since the content is not free text. */
  readonly structuredOutput: boolean
  readonly history: History
  /** What the request itself does, where no model proposed it: judged before it leaves. */
  readonly acts?: RequestActs
  /** How this very request is answered, where that takes more than its dialect knows. */
  readonly voice?: Voice
  /** True when its answer has no end of its own: it does not hold up the end of the process. */
  readonly endless?: boolean
  /** The other host that it goes to: granted by `egress`, and by nothing else. */
  readonly target?: HostTarget
  /** What a host may take such a request to do besides, or instead: each has to be granted, too. */
  readonly besides?: { readonly methods: readonly string[]; readonly paths: readonly string[] }
  /** True when it asks for a connection whose bytes nobody reads. */
  readonly opaque?: boolean
  /** The session that the request goes on with; null or undefined = none. */
  readonly session?: string | null
  /** The tasks and contexts of a peer that the request goes on with. */
  readonly goesOnWith?: { readonly tasks: readonly string[]; readonly contexts: readonly string[] }
  /** What the agent may know of the peer that it goes to. Set by the plane. */
  readonly peer?: PeerView
  /** The status with which a refusal of what it goes on with is told; undefined = 403. */
  readonly errorStatus?: number
  /** What the dialect keeps for the reading of the answer; opaque to all others. */
  readonly own?: unknown
}

/** What an agent may know of a peer. */
export type PeerView = {
  /** Where the peer is. */
  readonly urls: readonly string[]
  /** Exact names or trailing-`*` globs. */
  readonly skills: readonly string[]
  /** Is a task of the peer this agent's? */
  readonly owns: (task: string) => boolean
}

/** The calls that a request carries. */
export type RequestActs = {
  readonly messages: readonly Message[]
  /** The answer in the place of the server's, where something of it was refused; null = all may leave. */
  refusal(decided: Decided): { readonly status: number; readonly body: Uint8Array } | null
}

/** How refusals and faults are said. */
export type Voice = Pick<Dialect, 'refusal' | 'fault' | 'sever' | 'breakOff'>

/** A reading, or the reason why there is none. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: Reason; readonly at: number; readonly detail: string }

/** What became of one call. `text` is the refusal that stands in its place. */
export type Outcome = { readonly kind: 'released' } | { readonly kind: 'refused'; readonly text: string }

/** What was decided about everything inside one frame (or one whole answer). */
export type Decided = {
  readonly outcome: (call: string) => Outcome
  /** The text of a channel in this frame after a refused text call was cut out of it; undefined = untouched. */
  readonly text: (channel: Channel) => string | undefined
}

/** One streamed answer: frames in, messages out; later the same frames leave through `write`, in order. */
export interface AnswerStream {
  /**
   * Messages of one frame, in order. At most one `text` per channel. Reads each frame once, O(bytes). `parsed`: what
   * its data holds, where that was read before, in turns, by `json`.
   */
  read(frame: Frame, parsed?: Reading<unknown>): readonly Message[]
  /** How strictly the data of its frames is read; undefined = `chunk`. */
  readonly json?: 'chunk' | 'envelope'
  /** What the end of the entity itself tells: calls still open are closed as `truncated`. */
  end(): readonly Message[]
  /** The bytes that leave for a frame. The frame's own bytes as long as nothing of the answer was refused or edited. */
  write(frame: Frame, decided: Decided): readonly Uint8Array[]
  /** The call as the provider made it, for {@link Dialect.restore}; opaque to all others. Complete once the call is closed. */
  original(call: string): string
  /** The provider's own id of a call, by which a result names it; null = it has none. Undefined: nobody proposes calls. */
  callId?(call: string): string | null
  /** The provider's id of this answer, by which a later request may name it; null = none, or not seen yet. */
  answerId(): string | null
  /** What is to be sent to the server, whose requests were refused since the last time; undefined = never anything. */
  replies?(): readonly Uint8Array[]
  /** True once nothing more of it leaves: the client's side ends, and the server is cancelled. Undefined = at its own end. */
  readonly over?: boolean
}

/** One answer that does not stream, whole in memory. */
export interface AnswerBody {
  readonly messages: readonly Message[]
  /** The body's own bytes if nothing was refused or edited, else rebuilt. */
  write(decided: Decided): Uint8Array
  /** The status where what was refused changes it; null or undefined = the server's own. */
  status?(decided: Decided): number | null
  original(call: string): string
  callId?(call: string): string | null
  answerId(): string | null
}

/** A refused call that can be put back when its conversation comes again. WIRE.md rule 11. */
export type RestoreRecord = {
  readonly verdictId: string
  /** The exact refusal text that the client got. */
  readonly text: string
  readonly original: string
  /** The answer that the call stood in, where its provider keeps answers by id; else null. */
  readonly answerId: string | null
}

/** What a dialect may ask when a conversation comes back. Only what the asking agent got. */
export type RefusedCalls = {
  /** By the verdict id that stands in the refusal. */
  byVerdict(verdictId: string): RestoreRecord | null
  /** All of an answer that the provider still has; `lost` = there were some, and they are forgotten. */
  inAnswer(answerId: string): readonly RestoreRecord[] | 'lost'
  /** The request answers all of a conversation that goes on: once the provider has taken it, they are not told of again. */
  readonly answering?: (answerId: string) => void
}

/** Bounds of a reading, and how it lets others run: `limits.turnBytes` are looked at between two calls of `yieldTurn`. */
export type Work = { readonly limits: Limits; readonly yieldTurn: () => Promise<void> }

/** One wire dialect. The same members in every dialect folder; none knows what a policy is. */
export interface Dialect {
  readonly name: string
  /** The provider type whose grants open it; null = tool servers and peers. */
  readonly provider: ProviderType | null
  /** Which way requests and answers go, where they go to no model. Default ToTool, FromTool. */
  readonly directions?: readonly [out: Direction, back: Direction]
  /** Media types of JSON bodies, both ways. Default `application/json`. */
  readonly jsonTypes?: readonly string[]
  /** How a request is answered that could not be read, where that depends on its path. */
  voiceAt?(path: string): Voice
  /** `query` is empty or begins with `?`. null = not mine: the caller refuses. */
  endpointOf(method: string, path: string, query: string): Endpoint | null
  /** A promise only for a body so large that it is read in turns. */
  readRequest(
    endpoint: Endpoint,
    body: Uint8Array,
    work: Work,
    headers?: Headers,
  ): Reading<RequestView> | Promise<Reading<RequestView>>
  openStream(view: RequestView, limits: Limits): AnswerStream
  readAnswer(view: RequestView, body: Uint8Array, work: Work): Reading<AnswerBody> | Promise<Reading<AnswerBody>>
  /** The session that an answer opens; null = none. Undefined: this dialect has no sessions. */
  sessionIn?(headers: Headers): string | null
  /** JSON body of a refusal before the first byte (403). */
  refusal(verdict: Verdict): Uint8Array
  /** JSON body of a fault that is no refusal (502, 503, 504). */
  fault(code: string, message: string): Uint8Array
  /** Bytes that end an open stream after Abort or Sever. */
  sever(verdict: Verdict, place: StreamPlace): Uint8Array
  /** Bytes that end an open stream after a fault that is no refusal: the provider broke off. */
  breakOff(code: string, message: string, place: StreamPlace): Uint8Array
  /** A comment that keeps an idle stream of events alive. */
  readonly ping: Uint8Array
  /**
   * The body with every known refusal replaced by the call it stands for; null = nothing to restore, or too large then;
   * `lost` = the request goes on from an answer whose refused calls are forgotten: it would be misread, and is refused.
   */
  restore(view: RequestView, refused: RefusedCalls, maxBytes: number): Uint8Array | null | 'lost'
}

/** Nothing refused, nothing edited. */
export const ALL_RELEASED: Decided = { outcome: () => ({ kind: 'released' }), text: () => undefined }
