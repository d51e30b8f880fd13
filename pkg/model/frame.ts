import type { Reason } from './reasons.ts'

/**
 * A wire frame with its own bytes: an untouched frame leaves as it came.
 *
 * - `event`: one SSE event up to and with its blank line; `data` is its data field, lines joined by LF.
 * - `comment`: comment lines and blank lines alone; may overtake held frames.
 * - `fault`: bytes that some client could read in another way; `reason` says why. Never released.
 *
 * `at` is the byte offset of the frame's first byte in the decoded entity.
 */
export type Frame =
  | {
      readonly kind: 'event'
      readonly raw: Uint8Array
      readonly at: number
      readonly event: string | null
      readonly data: string
    }
  | { readonly kind: 'comment'; readonly raw: Uint8Array; readonly at: number }
  | { readonly kind: 'fault'; readonly raw: Uint8Array; readonly at: number; readonly reason: Reason }
