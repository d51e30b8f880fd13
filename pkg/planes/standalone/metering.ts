import { LIFECYCLE_STATES } from '#pkg/model'
import type { Metrics } from '#pkg/platform/metrics'
import type { Reading } from './source.ts'
import { statesOf } from './status.ts'
import type { Stores } from './stores.ts'

const US_PER_S = 1e6

/** Counts every verdict from now on, and shows at each scrape how the plane is. */
export function meterPlane(
  metrics: Metrics,
  { lives, audit, verdicts, identity }: Stores,
  reading: () => Reading,
): void {
  verdicts.follow(({ action, check, direction, us }) => {
    metrics.count('sallyport_verdicts_total', { action, check: check ?? 'none', direction })
    metrics.observe('sallyport_verdict_duration_seconds', {}, us / US_PER_S)
  })
  audit.follow(({ kind }) => metrics.count('sallyport_audit_events_total', { kind }))
  metrics.watch('sallyport_agents', () => {
    const counts = statesOf(lives)
    return LIFECYCLE_STATES.map((state) => ({ labels: { state }, value: counts[state] }))
  })
  const is = (yes: boolean) => [{ labels: {}, value: yes ? 1 : 0 }]
  metrics.watch('sallyport_audit_log_healthy', () => is(verdicts.healthy))
  metrics.watch('sallyport_agent_state_healthy', () => is(lives.healthy))
  metrics.watch('sallyport_identity_healthy', () => is(identity.fault() === null))
  metrics.watch('sallyport_policy_faults', () => [{ labels: {}, value: reading().faults.length }])
}
