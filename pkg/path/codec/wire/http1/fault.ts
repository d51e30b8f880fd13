import type { Reason } from '#pkg/model'

/** A message that breaks a rule: which reason, and what a person should know: `detail` follows "the request" or "the answer", and never holds payload. */
export type Fault = { readonly ok: false; readonly reason: Reason; readonly detail: string }

/** A {@link Fault}. */
export function fault(reason: Reason, detail: string): Fault {
  return { ok: false, reason, detail }
}
