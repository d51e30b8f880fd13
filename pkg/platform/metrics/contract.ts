import type { GivenSet, METRICS, MetricName } from './catalogue.ts'

type Row<N extends MetricName> = (typeof METRICS)[N]

/** Names of one kind. */
export type NameOf<K extends 'counter' | 'gauge' | 'histogram'> = {
  [N in MetricName]: Row<N>['kind'] extends K ? N : never
}[MetricName]

/** The labels of a metric, each with one of its values. A value outside of a given set is written as `other`. */
export type LabelsOf<N extends MetricName> = {
  readonly [L in keyof Row<N>['labels']]: Row<N>['labels'][L] extends readonly (infer V extends string)[] ? V : string
}

/** One value of a gauge at a scrape. */
export type Sample<N extends MetricName> = { readonly labels: LabelsOf<N>; readonly value: number }

/** Where everything is counted. Nothing of it throws. */
export type Metrics = {
  /** Adds to a counter; `by` is 1 unless given, and not negative. */
  count<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>, by?: number): void
  /** Notes a value in the unit of a histogram. */
  observe<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void
  /** Asks `read` at each scrape, in the place of who was asked before. It must be cheap. */
  watch<N extends NameOf<'gauge'>>(name: N, read: () => Iterable<Sample<N>>): void
}

/** What is served of it. */
export type OpenMetrics = Metrics & {
  /** Everything in the text format of Prometheus, as {@link OpenMetrics.contentType} says. */
  text(): Promise<string>
  readonly contentType: string
  /** Ends what it measures by itself. */
  close(): void
}

/** The values of the sets that are given. */
export type GivenSets = Readonly<Record<GivenSet, readonly string[]>>

/** Counts nothing. */
export const silentMetrics: Metrics = { count: () => {}, observe: () => {}, watch: () => {} }
