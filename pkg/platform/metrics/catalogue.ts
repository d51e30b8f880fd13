import { ACTIONS, AUDIT_KINDS, CA_SLOT_STATES, CHECKS, DIRECTIONS, HOLD_SOURCES, LIFECYCLE_STATES } from '#pkg/model'

/** How a request of an agent ended. */
export const OUTCOMES = ['answered', 'refused', 'cut', 'failed', 'left'] as const

/** What was wrong with the other side. */
export const UPSTREAM_CAUSES = ['failed', 'timeout', 'status-429', 'status-5xx'] as const

/** Statuses that the admin API answers. */
export const ADMIN_STATUSES = ['200', '308', '400', '401', '403', '404', '405', '409', '429', '500', '503'] as const

/** Sets that are known only where they are used; given to `openMetrics`. */
export const GIVEN_SETS = ['dialects', 'routes', 'versions'] as const

/** One of {@link GIVEN_SETS}. */
export type GivenSet = (typeof GIVEN_SETS)[number]

/** The values of one label: a closed set, or the name of one that is given. */
export type LabelValues = readonly string[] | { readonly given: GivenSet }

/** One metric. `unit` is the base unit in its name; null = a number of things. */
export type MetricRow = {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly unit: 'seconds' | 'bytes' | null
  readonly help: string
  readonly labels: Readonly<Record<string, LabelValues>>
  /** Upper bounds of a histogram, in `unit`. */
  readonly buckets?: readonly number[]
}

const DIALECT = { given: 'dialects' } as const
const BOOLEAN_HELP = '1 = yes, 0 = no.'
const VERDICT_BUCKETS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
] as const

/** Everything that is counted or measured, by its name in Prometheus. */
export const METRICS = {
  sallyport_verdicts_total: {
    kind: 'counter',
    unit: null,
    help: 'Verdicts that were written down; of requests that are let through none is. check: the one that decided.',
    labels: { action: ACTIONS, check: [...CHECKS, 'none'], direction: DIRECTIONS },
  },
  sallyport_verdict_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    help: 'Time that a judgement took, as the verdict says.',
    labels: {},
    buckets: VERDICT_BUCKETS,
  },
  sallyport_requests_total: {
    kind: 'counter',
    unit: null,
    help: 'Requests of agents that have ended. refused: before the answer began; cut: later; left: the client went away.',
    labels: { dialect: DIALECT, outcome: OUTCOMES },
  },
  sallyport_open_exchanges: {
    kind: 'gauge',
    unit: null,
    help: 'Exchanges with an open other side, tunnels included.',
    labels: {},
  },
  sallyport_held_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    help: 'Bytes of answers that are held back until they are judged.',
    labels: {},
  },
  sallyport_upstream_failures_total: {
    kind: 'counter',
    unit: null,
    help: 'Answers of providers, servers, peers and hosts that did not come, broke off, or say that it is their fault.',
    labels: { dialect: DIALECT, cause: UPSTREAM_CAUSES },
  },
  sallyport_agents: {
    kind: 'gauge',
    unit: null,
    help: 'Agents of the folder by state.',
    labels: { state: LIFECYCLE_STATES },
  },
  sallyport_agent_moves_total: {
    kind: 'counter',
    unit: null,
    help: 'Moves of agents into a state, by who moved them.',
    labels: { to: LIFECYCLE_STATES, source: [...HOLD_SOURCES, 'File'] },
  },
  sallyport_issuances_total: {
    kind: 'counter',
    unit: null,
    help: 'Credentials that were signed.',
    labels: { credential: ['X509Svid', 'JwtSvid'] },
  },
  sallyport_issuance_failures_total: {
    kind: 'counter',
    unit: null,
    help: 'Credentials that were asked for and could not be signed.',
    labels: { credential: ['X509Svid', 'JwtSvid'] },
  },
  sallyport_ca_moves_total: {
    kind: 'counter',
    unit: null,
    help: 'Moves of the keys of the CA into a state.',
    labels: { authority: ['X509', 'Jwt'], to: CA_SLOT_STATES },
  },
  sallyport_audit_events_total: {
    kind: 'counter',
    unit: null,
    help: 'Events that were written down, verdicts among them.',
    labels: { kind: AUDIT_KINDS },
  },
  sallyport_audit_append_failures_total: {
    kind: 'counter',
    unit: null,
    help: 'Verdicts and other events that could not be written down; what they were about was refused.',
    labels: {},
  },
  sallyport_audit_log_healthy: {
    kind: 'gauge',
    unit: null,
    help: `Can verdicts be written down? ${BOOLEAN_HELP}`,
    labels: {},
  },
  sallyport_agent_state_healthy: {
    kind: 'gauge',
    unit: null,
    help: `Can the state of agents be written down? ${BOOLEAN_HELP}`,
    labels: {},
  },
  sallyport_identity_healthy: {
    kind: 'gauge',
    unit: null,
    help: `Are identities signed? ${BOOLEAN_HELP}`,
    labels: {},
  },
  sallyport_policy_faults: {
    kind: 'gauge',
    unit: null,
    help: 'Faults in the newest reading of the folder of policies.',
    labels: {},
  },
  sallyport_admin_requests_total: {
    kind: 'counter',
    unit: null,
    help: 'Requests to the admin API that have ended. route: none = no such path.',
    labels: {
      route: { given: 'routes' },
      status: [...ADMIN_STATUSES, 'other'],
    },
  },
  sallyport_admin_followers: {
    kind: 'gauge',
    unit: null,
    help: 'Readers that follow verdicts or events now.',
    labels: {},
  },
  sallyport_build_info: {
    kind: 'gauge',
    unit: null,
    help: 'Always 1; the version is in the label.',
    labels: { version: { given: 'versions' } },
  },
  sallyport_process_start_time_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    help: 'When the process began, in seconds since 1970.',
    labels: {},
  },
  sallyport_process_cpu_seconds_total: {
    kind: 'counter',
    unit: 'seconds',
    help: 'CPU time of all threads, user and system.',
    labels: { mode: ['user', 'system'] },
  },
  sallyport_process_resident_memory_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    help: 'Memory that the process has in RAM.',
    labels: {},
  },
  sallyport_process_heap_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    help: 'Heap of the main thread: what is used, what is taken from the system, and buffers outside of it.',
    labels: { kind: ['used', 'total', 'external'] },
  },
  sallyport_event_loop_delay_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    help: 'How much later than asked the event loop of the main thread came back, since the scrape before; sampled each 20 ms.',
    labels: { stat: ['mean', 'p50', 'p99', 'max'] },
  },
} as const satisfies Readonly<Record<string, MetricRow>>

/** The name of a metric. */
export type MetricName = keyof typeof METRICS
