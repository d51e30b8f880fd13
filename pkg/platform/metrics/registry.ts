import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type LabelValues, METRICS, type MetricName, type MetricRow } from './catalogue.ts'
import type { GivenSets, OpenMetrics } from './contract.ts'
import { meterProcess } from './process-meter.ts'

/** In the place of a value that is in no set. */
const OTHER = 'other'

type Labels = Readonly<Record<string, string>>
type Built = {
  readonly registry: Registry
  readonly counters: ReadonlyMap<string, Counter>
  readonly gauges: ReadonlyMap<string, Gauge>
  readonly histograms: ReadonlyMap<string, Histogram>
}

/** The library costs a start some 50 ms, and nobody scrapes within it. */
const LOAD_AFTER_MS = 500
/** Kept until then; a busy half second has some thousand. What is beyond is not counted. */
const MAX_PENDING = 100_000

type Pending = { readonly name: MetricName; readonly labels: Labels; readonly value: number }

/**
 * Makes every metric of the catalogue, in a registry of its own. The library is loaded only here, half a second later or with
 * the first scrape; what is counted before then is kept until it is.
 */
export function openMetrics(given: GivenSets): OpenMetrics {
  const readers = new Map<MetricName, () => Iterable<{ readonly labels: Labels; readonly value: number }>>()
  const bound = boundTo(given)
  let pending: Pending[] = []
  let built: Built | null = null
  let loading: Promise<Built> | null = null
  const load = (): Promise<Built> => {
    loading ??= loaded().then((made) => {
      built = made
      for (const one of pending) put(made, one)
      pending = []
      return made
    })
    return loading
  }
  const write = (name: MetricName, labels: Labels, value: number): void => {
    const one = { name, labels: bound(name, labels), value }
    if (built !== null) put(built, one)
    else if (pending.length < MAX_PENDING) pending.push(one)
  }
  const metrics: Pick<OpenMetrics, 'count' | 'observe' | 'watch'> = {
    count: (name, labels, by = 1) => write(name, labels, by),
    observe: (name, labels, value) => write(name, labels, value),
    watch: (name, read) => void readers.set(name, read),
  }
  const process = meterProcess(metrics)
  const timer = setTimeout(() => void load().catch(() => {}), LOAD_AFTER_MS).unref() // a scrape tells what is wrong
  return {
    ...metrics,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: async () => {
      const { registry, gauges } = await load()
      process.refresh()
      for (const [name, read] of readers) {
        const gauge = gauges.get(name)
        gauge?.reset()
        for (const { labels, value } of read()) gauge?.set(bound(name, labels), value)
      }
      return await registry.metrics()
    },
    close: () => {
      clearTimeout(timer)
      process.close()
    },
  }
}

function put({ counters, histograms }: Built, { name, labels, value }: Pending): void {
  counters.get(name)?.inc(labels, value)
  histograms.get(name)?.observe(labels, value)
}

async function loaded(): Promise<Built> {
  const { default: library } = await import('prom-client') // in CommonJS: in a bundle its names are the default's alone
  return build(library, new library.Registry())
}

function build(library: typeof import('prom-client'), registry: Registry): Built {
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
    const config = { name, help: row.help, labelNames: Object.keys(row.labels), registers: [registry] }
    if (row.kind === 'counter') counters.set(name, new library.Counter(config))
    else if (row.kind === 'gauge') gauges.set(name, new library.Gauge(config))
    else histograms.set(name, new library.Histogram({ ...config, buckets: [...(row.buckets ?? [])] }))
  }
  return { registry, counters, gauges, histograms }
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
