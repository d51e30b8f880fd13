import type { RestoreRecord } from '#pkg/model'

/** The refusal contract ends in this; the verdict id stands in it twice. DESIGN §6. */
const MARK = /Verdict (v_[A-Za-z0-9_-]{1,64})\. Ask: sallyctl policy explain \1/g

/**
 * The known refusals that stand word for word in a text, in order. `find` answers null for an id that is not known,
 * or that has been seen already.
 */
export function* refusalsIn(text: string, find: (verdictId: string) => RestoreRecord | null): Iterable<RestoreRecord> {
  for (const match of text.matchAll(MARK)) {
    const record = find(match[1] ?? '')
    const end = match.index + match[0].length
    // looked at where it ends: naming a verdict a thousand times costs a thousand short looks
    if (record !== null && text.startsWith(record.text, end - record.text.length)) yield record
  }
}

/** The verdict ids of all that has the form of a refusal's end. */
export function verdictIdsIn(text: string): readonly string[] {
  return [...text.matchAll(MARK)].map((match) => match[1] ?? '')
}
