import type { Log, LogFields } from '#pkg/platform/log'

const RETRY_AFTER_MS = 1_000

/** Why identities are not signed. */
export type SigningFault = {
  /** null = they are, as far as is known. */
  readonly text: string | null
  /** It failed: `again` is tried in a second, and has to say how that went. The first of a row is an error in the log. */
  failed(event: string, fields: LogFields & { readonly error: unknown }, again: () => void): void
  worked(): void
  close(): void
}

/** Nothing has failed yet. */
export function newSigningFault(log: Log): SigningFault {
  let text: string | null = null
  let timer: NodeJS.Timeout | null = null
  let closed = false
  return {
    get text() {
      return text
    },
    failed: (event, fields, again) => {
      if (closed) return // the CA is gone because nobody needs it any more
      if (text === null) log.error(event, fields)
      else log.debug(event, fields)
      text = fields.error instanceof Error ? fields.error.message : 'unknown'
      timer ??= setTimeout(() => {
        timer = null
        again()
      }, RETRY_AFTER_MS).unref()
    },
    worked: () => {
      if (text !== null) log.info('identities-signed-again')
      text = null
    },
    close: () => {
      closed = true
      if (timer !== null) clearTimeout(timer)
    },
  }
}
