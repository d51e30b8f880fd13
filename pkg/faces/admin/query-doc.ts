import { MAX_LIMIT } from './query.ts'
import type { ParameterDoc } from './route-doc.ts'
import { AGENT, BOOLEAN, refTo } from './schema.ts'

/** Whom and why. */
export const SUBJECT: readonly ParameterDoc[] = [
  { name: 'agent', what: 'Only of this agent, as namespace/name.', schema: AGENT },
  { name: 'reason', what: 'Only with this reason.', schema: refTo('Reason') },
]

/** From when on. */
export const SINCE: ParameterDoc = {
  name: 'since',
  what: 'Not before this moment (RFC 3339), or not longer ago than this.',
  schema: {
    anyOf: [
      { type: 'string', format: 'date-time' },
      { type: 'string', pattern: '^[0-9]{1,6}[smhd]$' },
    ],
  },
}

/** How many. */
export const LIMIT: ParameterDoc = {
  name: 'limit',
  what: 'The newest that many.',
  schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT },
}

/** Whether it goes on. */
export const FOLLOW: ParameterDoc = {
  name: 'follow',
  what: 'Go on with what comes; false ends after the history.',
  schema: BOOLEAN,
}
