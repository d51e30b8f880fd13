import { SallyportError } from '#pkg/model/errors'
import { ADMIN_STATUSES, type OpenMetrics } from '#pkg/platform/metrics'
import { sendText } from './answers.ts'
import type { Call, Route } from './call.ts'
import { readQuery } from './query.ts'
import { TEXT } from './schema.ts'

/** What is counted of the process, for Prometheus. */
export const METRICS_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/metrics',
    answer: metrics,
    doc: {
      operation: 'getMetrics',
      tag: 'process',
      summary: 'What the process counts and measures, for Prometheus.',
      answers: { 200: { what: 'Text format 0.0.4.', type: 'text/plain', schema: TEXT } },
      faults: ['ADMIN_NOT_FOUND'],
    },
  },
]

async function metrics({ deps, response, query }: Call): Promise<void> {
  readQuery(query, [])
  if (deps.metrics === null) throw new SallyportError('ADMIN_NOT_FOUND', 'this process counts nothing')
  sendText(response, await deps.metrics.text(), deps.metrics.contentType)
}

/** What the API shows of itself. */
export function meterAdmin(
  { watch }: Pick<OpenMetrics, 'watch'>,
  { followers, version }: { readonly followers: ReadonlySet<unknown>; readonly version: string },
): void {
  watch('sallyport_admin_followers', () => [{ labels: {}, value: followers.size }])
  watch('sallyport_build_info', () => [{ labels: { version }, value: 1 }])
}

/** The label of a status. */
export function statusLabel(status: number): (typeof ADMIN_STATUSES)[number] | 'other' {
  return ADMIN_STATUSES.find((known) => known === String(status)) ?? 'other'
}
