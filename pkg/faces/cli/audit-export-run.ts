import { readSince } from '#pkg/faces/admin'
import type { AgentKey, AuditEvent } from '#pkg/model'
import { isErrorCode, SallyportError } from '#pkg/model/errors'
import { systemClock } from '#pkg/platform/clock'
import { type Log, silentLog } from '#pkg/platform/log'
import { type ExportFormat, type ExportProduct, exportEvent } from '#pkg/systems/audit'
import { agentSpiffeId, isTrustDomain } from '#pkg/systems/identity'
import type { Context, Globals } from './ports.ts'
import { agentNamed } from './session.ts'
import { readDataDir } from './target.ts'

/** The events of a data folder, oldest first; it only reads. What it passes over it tells the log, as a warning. */
export type AuditSource = (dataDir: string, log: Log) => AsyncIterable<AuditEvent>

/** Options of `audit export` besides the global ones. */
export type AuditExportOptions = Globals & {
  readonly format: ExportFormat
  readonly since?: string
  readonly agent?: string
  readonly kind?: AuditEvent['kind']
  readonly trustDomain?: string
}

/** What is exported, and how. */
export type ExportAsk = {
  readonly format: ExportFormat
  readonly product: ExportProduct
  /** ms since 1970, itself included. */
  readonly sinceMs?: number
  /** Events that are about no agent are about none of them. */
  readonly agent?: AgentKey
  readonly kind?: AuditEvent['kind']
}

/** How an export ended. */
export type Exported = {
  /** Lines that were given to the writer. */
  readonly lines: number
  /** Events that this version cannot say: they are not among the lines. */
  readonly unknown: number
  /** True when the reader went before the end. */
  readonly closed: boolean
}

/** Lines are gathered up to this many characters, so that a large log is not written line by line. */
const BATCH_CHARS = 64 * 1024

/**
 * Exports events one by one, in their order. `write` takes whole lines and resolves when the reader has room: no more is read
 * until then. A reader that goes (`EPIPE`) ends it well.
 * @throws what the source throws, and what `write` throws besides EPIPE.
 */
export async function exportAudit(
  events: AsyncIterable<AuditEvent>,
  ask: ExportAsk,
  write: (text: string) => Promise<void>,
): Promise<Exported> {
  let [lines, unknown, batch, waiting] = [0, 0, '', 0]
  const flush = async (): Promise<void> => {
    if (batch === '') return
    const [text, count] = [batch, waiting]
    batch = ''
    waiting = 0
    await write(text)
    lines += count
  }
  try {
    for await (const event of events) {
      if (!isAskedFor(event, ask)) continue
      const line = lineOf(event, ask)
      if (line === null) {
        unknown += 1
        continue
      }
      batch += `${line}\n`
      waiting += 1
      if (batch.length >= BATCH_CHARS) await flush()
    }
    await flush()
  } catch (error) {
    if (!isGone(error)) throw error
    return { lines, unknown, closed: true }
  }
  return { lines, unknown, closed: false }
}

function isAskedFor(event: AuditEvent, { sinceMs, agent, kind }: ExportAsk): boolean {
  if (kind !== undefined && event.kind !== kind) return false
  if (agent !== undefined && !('agent' in event && event.agent === agent)) return false
  return sinceMs === undefined || !(Date.parse(event.time) < sinceMs)
}

/** null for an event that this version cannot say. */
function lineOf(event: AuditEvent, { format, product }: ExportAsk): string | null {
  try {
    return exportEvent(format, event, product)
  } catch (error) {
    if (isErrorCode(error, 'STATE_UNAVAILABLE')) return null
    throw error
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
}

/** `sallyctl audit export`: reads the data folder, prints lines; status 1 when something of the log was left out. */
export async function runAuditExport(
  { deps, exit }: Context,
  options: AuditExportOptions,
  source: AuditSource,
): Promise<void> {
  const ask = askOf(options, deps.version)
  const dataDir = await readDataDir(deps, options, 'audit export')
  let unreadable = 0
  const log: Log = {
    ...silentLog,
    warn: () => {
      unreadable += 1
    },
  }
  const { unknown } = await exportAudit(source(dataDir, log), ask, deps.stdout)
  const tell = (count: number, why: string): void => {
    if (count === 0) return
    deps.stderr(`sallyctl: left out: ${count} ${why}\n`)
    exit(1)
  }
  tell(unknown, 'events that another version wrote; export them with that one')
  tell(unreadable, 'lines that are no events; "sallyctl audit verify" says where')
}

function askOf(options: AuditExportOptions, version: string): ExportAsk {
  const { format, since, agent, kind, trustDomain, output } = options
  if (output !== undefined && (output !== 'json' || format === 'cef'))
    throw new SallyportError('USAGE', `audit export prints lines of --format ${format}; leave -o ${output} out`)
  if (trustDomain !== undefined && !isTrustDomain(trustDomain))
    throw new SallyportError('USAGE', '--trust-domain must be a name of a-z, 0-9, ".", "-", "_": sallyport.local')
  const product: ExportProduct = {
    vendor: 'Sallyport',
    name: 'sallyport',
    version,
    ...(trustDomain === undefined ? {} : { spiffeIdOf: (key) => agentSpiffeId(trustDomain, key) }),
  }
  return {
    format,
    product,
    ...(since === undefined ? {} : { sinceMs: readSince(since, systemClock.nowMs()) }),
    ...(agent === undefined ? {} : { agent: agentNamed(agent, options) }),
    ...(kind === undefined ? {} : { kind }),
  }
}
