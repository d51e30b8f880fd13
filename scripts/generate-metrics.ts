import { type LabelValues, METRICS, type MetricRow } from '#pkg/platform/metrics'

const GIVEN = {
  dialects: 'a dialect, as in the verdicts',
  routes: 'a path of [the admin API](admin-api.md), or `none`',
  versions: 'as `sallyctl version`',
} as const

/** The page of all metrics. */
export function metricsPage(): string {
  const rows = Object.entries<MetricRow>(METRICS).map(([name, row]) => {
    const labels = Object.entries(row.labels).map(([label, values]) => `\`${label}\`: ${valuesOf(values)}`)
    const buckets = row.buckets === undefined ? '' : ` Upper bounds: ${row.buckets.join(', ')}.`
    return `| \`${name}\` | ${row.kind} | ${row.unit ?? '–'} | ${labels.join('<br>') || '–'} | ${row.help}${buckets} |`
  })
  return [
    '# Metrics',
    '',
    'Everything that a process counts and measures, as `GET /metrics` of the admin API tells it to Prometheus: with the bearer token over',
    'TCP, without over the Unix socket. Counts are those since the start of the process. No label holds a name that an agent or a policy',
    'chose; a value outside of the set of its label is written as `other`. Made by `make generate` from `pkg/platform/metrics/catalogue.ts`.',
    '',
    '| name | kind | unit | labels | what |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function valuesOf(values: LabelValues): string {
  return 'given' in values ? GIVEN[values.given] : values.map((value) => `\`${value}\``).join(' ')
}
