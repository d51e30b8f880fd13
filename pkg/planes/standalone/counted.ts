import type { AuditSink } from '#pkg/model'
import type { VerdictSink } from '#pkg/planes/sidecar'
import type { Metrics } from '#pkg/platform/metrics'

/** The same sink; what it takes is counted. */
export function countedAudit(audit: AuditSink, { count }: Metrics): AuditSink {
  return {
    record: (event) => {
      const id = counting(() => audit.record(event), count)
      if (event.kind === 'move') count('sallyport_agent_moves_total', { to: event.to, source: event.source })
      else if (event.kind === 'issuance') count('sallyport_issuances_total', { credential: event.credential })
      else if (event.kind === 'ca') count('sallyport_ca_moves_total', { authority: event.authority, to: event.to })
      return id
    },
  }
}

/** The same sink; what it cannot take is counted. */
export function countedVerdicts(verdicts: VerdictSink, { count }: Metrics): VerdictSink {
  return {
    append: (record) => {
      counting(() => verdicts.append(record), count)
    },
    get healthy() {
      return verdicts.healthy
    },
  }
}

function counting<T>(write: () => T, count: Metrics['count']): T {
  try {
    return write()
  } catch (error) {
    count('sallyport_audit_append_failures_total', {})
    throw error
  }
}
