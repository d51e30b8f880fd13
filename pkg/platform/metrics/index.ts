/**
 * metrics: what the process counts and measures, in one catalogue.
 *
 * In:  counts and durations by name, and readers that are asked at each scrape; the sets of names that only others know
 *      (dialects, routes of the admin API, the version).
 * Out: the Metrics that all rooms take through their deps; one Prometheus text; the catalogue, of which
 *      `docs/reference/metrics.md` is made.
 * A count takes about half a microsecond. Every label has a closed set of values; what is outside is written as `other`.
 *
 * Never: a name of an agent, a tool or a host as a label, text that an agent wrote, a registry that others share, work at import.
 */
export * from './catalogue.ts'
export * from './contract.ts'
export { openMetrics } from './registry.ts'
