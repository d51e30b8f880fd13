import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SystemName } from './systems.ts'

/** One figure; `out/bench.json` is a list of these. */
export type Row = {
  readonly bench: 'path' | 'identity'
  /** `crypto`: node:crypto by itself, the yardstick of what identities cost. */
  readonly system: SystemName | 'crypto'
  /** Streams at a time for what streams; else what was done. */
  readonly case: string
  readonly metric: Metric
  readonly value: number
  readonly unit: string
}

/** Metric → unit, in the order of the table. docs/performance.md says how each is taken. */
export const UNITS = {
  ttft_added_p50: 'ms',
  ttft_added_p99: 'ms',
  itl_added_p99: 'ms',
  hold_p50: 'ms',
  hold_p99: 'ms',
  call_added_p50: 'ms',
  call_added_p99: 'ms',
  verdict_p50: 'us',
  verdict_p99: 'us',
  rps: '1/s',
  cpu_per_request: 'ms',
  cpu_per_stream: 'ms',
  rss: 'MiB',
  start: 'ms',
  op_rate: '1/s',
  op_p50: 'us',
  op_p99: 'us',
  op_ratio: 'x',
} as const

export type Metric = keyof typeof UNITS

/** A row, its value rounded to what the measuring can tell. */
export function row(system: Row['system'], onCase: string, metric: Metric, value: number): Row {
  const unit = UNITS[metric]
  const digits = unit === 'ms' && metric !== 'start' ? 3 : unit === 'x' ? 2 : 1
  const bench = metric.startsWith('op_') ? 'identity' : 'path'
  return { bench, system, case: onCase, metric, value: Number(value.toFixed(digits)), unit }
}

/** Writes the rows as JSON, one a line. */
export function writeRows(path: string, rows: readonly Row[]): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `[\n${rows.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`)
}

/** The rows as a table for a person: one line for each metric and case, one column for each system. */
export function tableOf(rows: readonly Row[], systems: readonly Row['system'][]): string {
  const lines = [['metric', 'case', 'unit', ...systems]]
  for (const metric of Object.keys(UNITS) as Metric[]) // the keys of UNITS are the metrics
    for (const onCase of new Set(rows.filter((each) => each.metric === metric).map((each) => each.case))) {
      const cells = systems.map((system) => {
        const found = rows.find((each) => each.metric === metric && each.case === onCase && each.system === system)
        return found === undefined ? '-' : found.value.toLocaleString('en-US', { maximumFractionDigits: 3 })
      })
      lines.push([metric, onCase, UNITS[metric], ...cells])
    }
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n')
}

type Goal = {
  readonly text: string
  readonly limit: number
  readonly least?: true
  /** A p99: says nothing when others used the core. */
  readonly tail?: true
  readonly value: (rows: readonly Row[]) => number | null
}

/** The goals of Chat hold for each dialect. */
const OTHERS = ['responses', 'anthropic', 'gemini'] as const

const find = (rows: readonly Row[], system: SystemName, metric: Metric, onCase: string): number | null =>
  rows.find((each) => each.system === system && each.metric === metric && each.case === onCase)?.value ?? null

const against = (
  rows: readonly Row[],
  metric: Metric,
  onCase: string,
  how: (a: number, b: number) => number,
): number | null => {
  const [own, other] = [find(rows, 'sallyport', metric, onCase), find(rows, 'node', metric, onCase)]
  return own === null || other === null ? null : how(own, other)
}

/** The goals of one dialect; `before` is what its cases begin with. */
function goalsOfDialect(name: string, before: string): readonly Goal[] {
  return [
    {
      text: `${name}added TTFT p50 at 16 streams, ms`,
      limit: 0.5,
      value: (rows) => find(rows, 'sallyport', 'ttft_added_p50', `${before}16`),
    },
    {
      text: `${name}added TTFT p99 at 16 streams, ms`,
      tail: true,
      limit: 1.5,
      value: (rows) => find(rows, 'sallyport', 'ttft_added_p99', `${before}16`),
    },
    {
      text: `${name}inter-token p99 over the bare Node proxy at 16 streams, ms`,
      tail: true,
      limit: 0.05,
      value: (rows) => against(rows, 'itl_added_p99', `${before}16`, (own, other) => own - other),
    },
    {
      text: `${name}verdict p99, µs`,
      tail: true,
      limit: 1_000,
      value: (rows) => find(rows, 'sallyport', 'verdict_p99', `${before}100-rules`),
    },
    {
      text: `${name}requests per second as a share of the bare Node proxy`,
      limit: 0.8,
      least: true,
      value: (rows) => against(rows, 'rps', `${before}32`, (own, other) => own / other),
    },
  ]
}

/** What this project wants to reach. docs/performance.md. */
const GOALS: readonly Goal[] = [
  ...goalsOfDialect('', ''),
  {
    text: 'start to first proxied token, ms',
    limit: 1_000,
    value: (rows) => find(rows, 'sallyport', 'start', 'first-token'),
  },
  ...OTHERS.flatMap((name) => goalsOfDialect(`${name}: `, `${name}/`)),
  {
    text: 'mcp: added to a small tools/call, p50, ms',
    limit: 0.4,
    value: (rows) => find(rows, 'sallyport', 'call_added_p50', 'mcp/tools-call'),
  },
]

/** One line for each goal: reached, missed, or not judged, with its number. `disturbed`: others used the system's core. */
export function goalsOf(rows: readonly Row[], disturbed = false): readonly string[] {
  return GOALS.map(({ text, limit, least, tail, value }) => {
    const seen = value(rows)
    if (seen === null) return `?  ${text}: not measured`
    const number = `${text}: ${Number(seen.toFixed(3))} (goal ${least ? '≥' : '≤'} ${limit})`
    if (tail && disturbed) return `?  ${number}, not judged: the core was not the system's alone`
    return `${(least ? seen >= limit : seen <= limit) ? '✓' : '✗'}  ${number}`
  })
}
