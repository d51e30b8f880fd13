import type { Reason } from './reasons.ts'

/** What a call does, as verb on resource: the closed set. POLICY.md "Intents". Besides these, `custom.<name>` may be declared. */
export const INTENTS = [
  'sql.read',
  'sql.write',
  'sql.ddl',
  'shell.exec',
  'fs.read',
  'fs.write',
  'fs.delete',
  'fs.share',
  'net.egress',
  'vcs.push',
  'mail.send',
  'mail.delete',
  'message.send',
  'calendar.write',
  'booking.write',
  'money.move',
  'account.write',
  'agent.delegate',
] as const

/** An intent of the closed set, or `custom.<name>`; `custom.unknown` is what cannot be told. */
export type Intent = (typeof INTENTS)[number] | `custom.${string}`

/** True for a member of the closed set or a well-formed `custom.<name>`. */
export function isIntent(text: string): text is Intent {
  return (INTENTS as readonly string[]).includes(text) || /^custom\.[a-z0-9-]{1,63}$/.test(text)
}

/** The reason that refuses an intent: `INTENT_` + the intent in upper snake case; every `custom.*` shares `INTENT_CUSTOM`. */
export function reasonOfIntent(intent: Intent): Reason {
  if (intent.startsWith('custom.')) return 'INTENT_CUSTOM'
  return `INTENT_${intent.toUpperCase().replace('.', '_')}` as Reason // every member of INTENTS has its row; the model's test proves it
}
