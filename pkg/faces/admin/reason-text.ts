import { SallyportError } from '#pkg/model/errors'
import type { Schema } from './schema.ts'

const MAX_REASON = 512
/** One character that is no white space, in whatever language reads the pattern. */
const VISIBLE = '[^\\s\\u001c-\\u001f\\u0085\\u180e\\ufeff]'
const VISIBLE_PATTERN = new RegExp(VISIBLE, 'u')

/** What a person writes when something is moved. */
export const REASON_TEXT: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_REASON,
  pattern: VISIBLE,
  description: 'Why; it goes on record.',
}

/** Reads it. @throws SallyportError USAGE */
export function readReason(reason: unknown): string {
  if (typeof reason !== 'string' || !VISIBLE_PATTERN.test(reason) || [...reason].length > MAX_REASON)
    throw new SallyportError('USAGE', `reason must be a text of 1 to ${MAX_REASON} characters: it goes on record`)
  return reason
}
