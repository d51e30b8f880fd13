import type { ArgumentForm } from './message.ts'
import type { Reason } from './reasons.ts'

/** What a scanner of text calls says about the text of one channel, in order. Offsets are UTF-16 units of the channel. */
export type TextItem =
  /** Everything before `end` is plain text. */
  | { readonly kind: 'plain'; readonly end: number }
  /** A call that was written as text begins at `start`. */
  | { readonly kind: 'open'; readonly start: number; readonly name: string; readonly form: ArgumentForm }
  | { readonly kind: 'arguments'; readonly text: string }
  | { readonly kind: 'close'; readonly end: number }
  /** The call since the last `open` (or from `start`) cannot be read; its text ends at `end`. */
  | { readonly kind: 'fault'; readonly start: number; readonly end: number; readonly reason: Reason }

/** Finds calls that are written as text in one channel. WIRE.md rule 7. Implemented by `path/firewall`. */
export interface TextCallScanner {
  push(text: string): readonly TextItem[]
  end(): readonly TextItem[]
}
