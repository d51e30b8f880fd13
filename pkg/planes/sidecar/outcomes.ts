import { isErrorCode } from '#pkg/model/errors'
import type { Metrics, OUTCOMES, UPSTREAM_CAUSES } from '#pkg/platform/metrics'

/** How a request ended, as it is counted. */
export type Outcome = (typeof OUTCOMES)[number]

type Cause = (typeof UPSTREAM_CAUSES)[number]

/** Counts an answer in which the other side says that it could not. */
export function countStatus(metrics: Pick<Metrics, 'count'>, dialect: string, status: number): void {
  const cause: Cause | null = status === 429 ? 'status-429' : status >= 500 ? 'status-5xx' : null
  if (cause !== null) metrics.count('sallyport_upstream_failures_total', { dialect, cause })
}

/** Counts an answer that did not come, or broke off. */
export function countFailure(metrics: Pick<Metrics, 'count'>, dialect: string, error: unknown): void {
  const timeout = isErrorCode(error, 'UPSTREAM_TIMEOUT')
  if (!timeout && !isErrorCode(error, 'UPSTREAM_FAILED')) return
  metrics.count('sallyport_upstream_failures_total', { dialect, cause: timeout ? 'timeout' : 'failed' })
}
