import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type GivenSet, type LabelValues, METRICS, type MetricRow, openMetrics } from './index.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const GIVEN = { dialects: ['openai-chat', 'http'], routes: ['/metrics', 'none'], versions: ['1.2.3'] }
const rows = Object.entries<MetricRow>(METRICS)

/** The samples of a text: name, labels and value. */
function samplesOf(text: string): readonly (readonly [string, string])[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)])
}

for (const [name, row] of rows)
  test(`[MET-01] ${name} is named, explained and labelled as Prometheus asks`, () => {
    assert.match(name, /^sallyport_[a-z]+(?:_[a-z]+)*$/)
    assert.equal(name.endsWith('_total'), row.kind === 'counter')
    const base = name.replace(/_total$/, '')
    assert.equal(/_(?:seconds|bytes)$/.exec(base)?.[0] ?? null, row.unit === null ? null : `_${row.unit}`)
    assert.doesNotMatch(name, /_(?:ms|millis|us|kb|mb|percent|count|sum|bucket|ratio)(?:_|$)/)
    assert.match(row.help, /^[A-Z0-9].*\.$/)
    assert.equal(row.buckets !== undefined, row.kind === 'histogram')
    for (const bound of row.buckets?.entries() ?? [])
      assert.ok(bound[0] === 0 || bound[1] > (row.buckets?.[bound[0] - 1] ?? 0))
    for (const label of Object.keys(row.labels)) assert.match(label, /^(?!le$|quantile$|job$|instance$|__)[a-z]+$/)
  })

test('[MET-02] no label takes what an agent or a policy names, and one metric has at most 1,000 series', () => {
  const sizes: Record<GivenSet, number> = { dialects: 12, routes: 60, versions: 1 }
  const size = (values: LabelValues): number => ('given' in values ? sizes[values.given] + 1 : values.length)
  for (const [name, row] of rows) {
    for (const label of Object.keys(row.labels))
      assert.doesNotMatch(label, /agent|tool|namespace|name|host|model|peer|server|policy|session|token/)
    const series = Object.values(row.labels).reduce((product, values) => product * size(values), 1)
    assert.ok(series * ((row.buckets?.length ?? 0) + 1) <= 1_000, `${name}: ${series}`)
  }
})

test('[MET-02] a value outside of a given set is written as other', async () => {
  const metrics = openMetrics(GIVEN)
  for (const dialect of ['openai-chat', 'x'.repeat(50), 'y\n"', 'constructor'])
    metrics.count('sallyport_requests_total', { dialect, outcome: 'answered' })
  const counted = samplesOf(await metrics.text()).filter(([name]) => name.startsWith('sallyport_requests_total'))
  assert.deepEqual(counted, [
    ['sallyport_requests_total{dialect="openai-chat",outcome="answered"}', '1'],
    ['sallyport_requests_total{dialect="other",outcome="answered"}', '3'],
  ])
  metrics.close()
})

test('[MET-03] every metric of the catalogue is written by something outside of it', () => {
  const sources = ['pkg', 'cmd'].flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/\.(?:test|fixture)\.ts$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.endsWith('metrics/catalogue.ts')),
  )
  const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n')
  const writes = { counter: 'count', gauge: 'watch', histogram: 'observe' } as const
  const silent = rows.filter(([name, { kind }]) => !text.includes(`${writes[kind]}('${name}'`)).map(([name]) => name)
  assert.deepEqual(silent, [])
})

test('[MET-04] registries share nothing; counters keep, and gauges are asked anew at each scrape', async () => {
  const [one, two] = [openMetrics(GIVEN), openMetrics(GIVEN)]
  one.count('sallyport_audit_append_failures_total', {}, 2)
  let state: 'Active' | 'Suspended' = 'Active'
  one.watch('sallyport_agents', () => [{ labels: { state }, value: 3 }])
  one.observe('sallyport_verdict_duration_seconds', {}, 0.0002)
  const agents = async () => samplesOf(await one.text()).filter(([name]) => name.startsWith('sallyport_agents{'))
  assert.deepEqual(await agents(), [['sallyport_agents{state="Active"}', '3']])
  state = 'Suspended'
  assert.deepEqual(await agents(), [['sallyport_agents{state="Suspended"}', '3']])
  const other = new Map(samplesOf(await two.text()))
  assert.equal(other.get('sallyport_audit_append_failures_total'), '0')
  assert.equal(other.get('sallyport_verdict_duration_seconds_count'), '0')
  const own = new Map(samplesOf(await one.text()))
  assert.equal(own.get('sallyport_audit_append_failures_total'), '2')
  assert.equal(own.get('sallyport_verdict_duration_seconds_bucket{le="0.0001"}'), '0')
  assert.equal(own.get('sallyport_verdict_duration_seconds_bucket{le="0.00025"}'), '1')
  for (const metrics of [one, two]) metrics.close()
})

test('[MET-04] the process is measured in base units, and CPU time only grows', async () => {
  const metrics = openMetrics(GIVEN)
  const read = async (): Promise<ReadonlyMap<string, number>> =>
    new Map(samplesOf(await metrics.text()).map(([name, value]) => [name, Number(value)]))
  const first = await read()
  const began = first.get('sallyport_process_start_time_seconds') ?? 0
  assert.ok(Math.abs(began - Date.now() / 1_000) < 600)
  assert.ok((first.get('sallyport_process_resident_memory_bytes') ?? 0) > 10_000_000)
  assert.ok((first.get('sallyport_process_heap_bytes{kind="used"}') ?? 0) > 1_000_000)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const until = performance.now() + 60
  while (performance.now() < until); // a turn of 60 ms
  await new Promise((resolve) => setTimeout(resolve, 50))
  const second = await read()
  const cpu = (of: ReadonlyMap<string, number>): number =>
    of.get('sallyport_process_cpu_seconds_total{mode="user"}') ?? 0
  assert.ok(cpu(second) > cpu(first))
  const max = second.get('sallyport_event_loop_delay_seconds{stat="max"}') ?? 0
  assert.ok(max > 0.02 && max < 10, `${max}`)
  metrics.close()
})

test('[MET-05] what is counted before the library is there is in the first scrape, once', async () => {
  const metrics = openMetrics(GIVEN)
  for (let round = 0; round < 3; round += 1)
    metrics.count('sallyport_requests_total', { dialect: 'openai-chat', outcome: 'answered' })
  metrics.observe('sallyport_verdict_duration_seconds', {}, 0.0002)
  const first = samplesOf(await metrics.text())
  const second = samplesOf(await metrics.text())
  for (const samples of [first, second]) {
    const values = new Map(samples)
    assert.equal(values.get('sallyport_requests_total{dialect="openai-chat",outcome="answered"}'), '3')
    assert.equal(values.get('sallyport_verdict_duration_seconds_count'), '1')
  }
  metrics.close()
})
