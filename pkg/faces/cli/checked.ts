/** One look. `ok` null = it could not be looked at, which is no fault. `fix` and `doc` only where something is wrong. */
export type Checked = {
  readonly name: string
  readonly ok: boolean | null
  readonly detail: string
  readonly fix: string | null
  /** Where the documentation says more. */
  readonly doc: string | null
}

/** All is well. */
export function good(name: string, detail: string): Checked {
  return { name, ok: true, detail, fix: null, doc: null }
}

/** It could not be looked at. */
export function unknown(name: string, detail: string): Checked {
  return { name, ok: null, detail, fix: null, doc: null }
}

/** Something stands in the way. `doc` is a file and an anchor in it. */
export function bad(
  name: string,
  detail: string,
  { fix, doc }: { readonly fix: string; readonly doc: string },
): Checked {
  return { name, ok: false, detail, fix, doc }
}
