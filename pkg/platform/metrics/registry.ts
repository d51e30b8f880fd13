import type { Counter, Gauge, Histogram } from 'prom-client'
import { type LabelValues, METRICS, type MetricName, type MetricRow } from './catalogue.ts'
import type { GivenSets, OpenMetrics } from './contract.ts'
import { meterProcess } from './process-meter.ts'

/** In the place of a value that is in no set. */
const OTHER = 'other'

type Labels = Readonly<Record<string, string>>
type Built = {
  readonly counters: ReadonlyMap<string, Counter>
  readonly gauges: ReadonlyMap<string, Gauge>
  readonly histograms: ReadonlyMap<string, Histogram>
}

/** Makes every metric of the catalogue, in a registry of its own. The library is loaded only here. */
export async function openMetrics(given: GivenSets): Promise<OpenMetrics> {
  const { default: library } = await import('prom-client') // in CommonJS: in a bundle its names are the default's alone
  const registry = new library.Registry()
  const { counters, gauges, histograms } = build(library, registry)
  const readers = new Map<MetricName, () => Iterable<{ readonly labels: Labels; readonly value: number }>>()
  const bound = boundTo(given)
  const metrics: Pick<OpenMetrics, 'count' | 'observe' | 'watch'> = {
    count: (name, labels, by = 1) => void counters.get(name)?.inc(bound(name, labels), by),
    observe: (name, labels, value) => void histograms.get(name)?.observe(bound(name, labels), value),
    watch: (name, read) => void readers.set(name, read),
  }
  const process = meterProcess(metrics)
  return {
    ...metrics,
    contentType: registry.contentType,
    text: () => {
      process.refresh()
      for (const [name, read] of readers) {
        const gauge = gauges.get(name)
        gauge?.reset()
        for (const { labels, value } of read()) gauge?.set(bound(name, labels), value)
      }
      return registry.metrics()
    },
    close: () => process.close(),
  }
}

function build(library: typeof import('prom-client'), registry: InstanceType<typeof library.Registry>): Built {
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
    const config = { name, help: row.help, labelNames: Object.keys(row.labels), registers: [registry] }
    if (row.kind === 'counter') counters.set(name, new library.Counter(config))
    else if (row.kind === 'gauge') gauges.set(name, new library.Gauge(config))
    else histograms.set(name, new library.Histogram({ ...config, buckets: [...(row.buckets ?? [])] }))
  }
  return { counters, gauges, histograms }
}

/** Labels of given sets, kept within them. The types keep the others. */
function boundTo(given: GivenSets): (name: MetricName, labels: Labels) => Labels {
  const open = new Map<string, readonly (readonly [label: string, values: ReadonlySet<string>])[]>()
  for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
    const sets = Object.entries(row.labels).flatMap(([label, values]) =>
      isGiven(values) ? [[label, new Set(given[values.given])] as const] : [],
    )
    if (sets.length > 0) open.set(name, sets)
  }
  return (name, labels) => {
    const sets = open.get(name)
    if (sets === undefined) return labels
    const outside = sets.filter(([label, values]) => !values.has(labels[label] ?? ''))
    return outside.length === 0
      ? labels
      : { ...labels, ...Object.fromEntries(outside.map(([label]) => [label, OTHER])) }
  }
}

function isGiven(values: LabelValues): values is Extract<LabelValues, { given: string }> {
  return 'given' in values
}
