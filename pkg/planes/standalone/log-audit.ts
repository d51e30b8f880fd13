import type { AuditSink } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import { newNames, type RandomBytes } from '#pkg/platform/random'

/** A sink that writes events into the log of the process, at level debug. */
export function newLogAudit(deps: { readonly log: Log; readonly random: RandomBytes }): AuditSink {
  const newId = newNames(deps.random, { prefix: 'e_', length: 14 })
  return {
    record: (event) => {
      const id = newId()
      deps.log.debug('audit-event', { id, ...event })
      return id
    },
  }
}
