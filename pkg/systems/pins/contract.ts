/** The entry of a policy that a server stands in, by the namespace of that policy. */
export type PinnedServer = { readonly namespace: string; readonly name: string }

/** One tool as its server describes it. */
export type ListedTool = { readonly name: string; readonly value: Readonly<Record<string, unknown>> }

/** One page of a list; `cursor` is what was asked with, `next` what leads on; null = none. */
export type ListingPage = {
  readonly tools: readonly ListedTool[]
  readonly cursor: string | null
  readonly next: string | null
}

/**
 * How a list differs. `added`, `removed`, `changed`: from the pin. `doubled`: a name stands in one list twice.
 * `other-list`: the whole has another digest than the policy asks for. `endless`: more pages or tools than are read, or
 * a cursor that came before.
 */
export type ToolDifference = {
  readonly kind: 'added' | 'removed' | 'changed' | 'doubled' | 'other-list' | 'endless'
  readonly tool: string
  /** Where a changed descriptor differs: keys and positions, no values. */
  readonly paths: readonly string[]
}

/** What is kept of one server. */
export type Pin = {
  /** Grows with every pin of this data folder: who was first. */
  readonly since: number
  readonly digest: string
  readonly tools: ReadonlyMap<string, PinnedTool>
  /** Tools that were not as pinned when the server last listed them. */
  readonly drifted: ReadonlySet<string>
}

/** A tool as it was pinned; `value` is null where it was too large to keep. */
export type PinnedTool = { readonly digest: string; readonly value: unknown }
