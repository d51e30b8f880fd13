import type { ArgumentForm } from './message.ts'

/** A tool call that the history of a request says a model has made. */
export type HistoryCall = {
  /** By which its result names it; null = the history has none. */
  readonly id: string | null
  readonly name: string
  readonly form: ArgumentForm
  /** As the history has them: their text, or the parsed value where the dialect writes no text. */
  readonly arguments: unknown
}

/** One text and where it stands: keys (dotted) and positions from the body's root, `messages[3].content[0].text`. */
export type PlacedText = { readonly member: string; readonly text: string }

/**
 * What came from elsewhere and goes to the model: every string and number in it, encoded bytes and addresses too. Keys
 * are in the members.
 */
export type HistoryContent = {
  /** The call that it answers; null for a document, or a result without an id. */
  readonly id: string | null
  readonly texts: readonly PlacedText[]
}

/** What a request tells of its conversation. */
export type History = {
  readonly calls: readonly HistoryCall[]
  /** Results of tools, whoever ran them. */
  readonly results: readonly HistoryContent[]
  /** Parts of messages that are no text: documents, images, files, search results, code. */
  readonly documents: readonly HistoryContent[]
}

/** The history of a request that has none. */
export const NO_HISTORY: History = { calls: [], results: [], documents: [] }
