import { conflictOf } from './merge.ts'
import type { Part } from './policy.ts'
import { selects } from './selector.ts'

/** An agent as policies see it. */
export type Subject = {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** True when two resources claim its name: then no policy selects it. */
  readonly ambiguous: boolean
}

/** Who is selected by whom. */
export type Selection = {
  /** The accepted policies of each subject, oldest first; by its position. */
  readonly chosen: readonly (readonly Part[])[]
  readonly conflicts: readonly { readonly part: Part; readonly message: string }[]
  /** Accepted policies that select nobody. */
  readonly idle: readonly Part[]
}

/**
 * Gives each subject its policies. They are taken oldest first: one that contradicts an accepted older policy of any subject
 * that both select is out for all subjects, and then contradicts nobody itself. So the outcome depends on ages and names alone.
 */
export function select(subjects: readonly Subject[], oldestFirst: readonly Part[]): Selection {
  const chosen = subjects.map((): Part[] => [])
  const conflicts: { readonly part: Part; readonly message: string }[] = []
  const accepted: Part[] = []
  const idle: Part[] = []
  const places = byNamespace(subjects)
  for (const part of oldestFirst) {
    const { namespace, value } = part.resource
    const selected = (places.get(namespace) ?? []).filter(({ subject }) => selects(value.spec.selector, subject.labels))
    const older = new Set(selected.flatMap(({ at }) => chosen[at] ?? []))
    // the oldest is named, whichever agent comes first
    const contradicted = accepted.filter((each) => older.has(each)).map((each) => conflictOf(each, part))
    const message = contradicted.find((each) => each !== null) ?? null
    if (message !== null) {
      conflicts.push({ part, message })
      continue
    }
    accepted.push(part)
    if (selected.length === 0) idle.push(part)
    for (const { at } of selected) chosen[at]?.push(part)
  }
  return { chosen, conflicts, idle }
}

type Placed = { readonly subject: Subject; readonly at: number }

function byNamespace(subjects: readonly Subject[]): ReadonlyMap<string, readonly Placed[]> {
  const places = new Map<string, Placed[]>()
  for (const [at, subject] of subjects.entries()) {
    if (subject.ambiguous) continue
    const here = places.get(subject.namespace)
    if (here === undefined) places.set(subject.namespace, [{ subject, at }])
    else here.push({ subject, at })
  }
  return places
}
