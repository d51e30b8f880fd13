import { type Logger, pino } from 'pino'
import { type Clock, rfc3339, systemClock } from '#pkg/platform/clock'
import { stderrSink } from './stderr-sink.ts'

/** From the loudest to the quietest. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What an event tells besides its name. An `Error` is printed as name, code and message. The fixed keys are taken. */
export type LogFields = {
  readonly [key: string]: unknown
  readonly level?: never
  readonly time?: never
  readonly event?: never
}

/** One line per call. `event` is a stable kebab-case name: `agent-severed`. */
export type Log = {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

/** All have a default. */
export type LogOptions = {
  /** The quietest level that is still printed. Default `info`. */
  readonly level?: LogLevel
  /** Takes one line with its line feed. Default: stderr, without ever waiting for its reader. */
  readonly write?: (line: string) => void
  /** Bytes that wait for a slow reader of stderr; beyond them lines are dropped and counted. Default 1 MiB. */
  readonly maxBacklogBytes?: number
  /** Default {@link systemClock}. */
  readonly clock?: Clock
}

/** A log of JSON lines. */
export function newLog(options: LogOptions = {}): Log {
  const write = options.write ?? stderrSink(options.maxBacklogBytes ?? 1024 * 1024)
  const clock = options.clock ?? systemClock
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${rfc3339(clock.nowMs())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  )
  return {
    debug: lineOf(logger, 'debug'),
    info: lineOf(logger, 'info'),
    warn: lineOf(logger, 'warn'),
    error: lineOf(logger, 'error'),
  }
}

/** A log that prints nothing, for tests and for commands that have none. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function lineOf(logger: Logger, level: LogLevel): (event: string, fields?: LogFields) => void {
  return (event, fields) => {
    if (!logger.isLevelEnabled(level)) return
    logger[level]({ event, ...printable(fields) })
  }
}

function printable(fields: LogFields | undefined): Readonly<Record<string, unknown>> {
  if (fields === undefined) return {}
  const shown: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'event' || key === 'level' || key === 'time') continue // a second key of the same name would hide the first
    shown[key] = value instanceof Error ? errorText(value) : value
  }
  return shown
}

function errorText(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  return `${error.name}${code}: ${error.message}`
}
