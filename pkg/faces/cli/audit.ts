import { type Command, Option } from 'commander'
import { AUDIT_KINDS, type AuditEvent } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import type { AuditVerification, lastAuditEvents } from '#pkg/systems/audit'
import { defineAuditExport } from './audit-export.ts'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { agentNamed, formatOf, print, valueText } from './session.ts'
import { type Column, rowText } from './table.ts'
import { readDataDir } from './target.ts'

type VerifyOptions = Globals & { readonly key?: string }

type TailOptions = Globals & {
  readonly follow?: boolean
  readonly lines: string
  readonly kind?: AuditEvent['kind']
  readonly agent?: string
}

const MAX_KEY_BYTES = 16 * 1024
const DEFAULT_LINES = '20'
const MAX_LINES = 100_000

/** `sallyctl audit verify [--key FILE] | tail [-f --lines --kind --agent] | export [--format --since --agent --kind]` */
export function defineAudit(parent: Command, context: Context): void {
  const audit = parent
    .command('audit')
    .description(
      'The record of verdicts, moves, issuances and uses of keys. Reads the files in --data; no process is asked.',
    )
  audit
    .command('verify')
    .option('--key <file>', 'the public audit key (PEM) as it was kept elsewhere; without it audit.pub of the folder')
    .description('Is the record as it was written? Status 1 when anything in it was changed, taken out or put in.')
    .action(async (_options, command: Command) => await verify(context, command.optsWithGlobals<VerifyOptions>()))
  audit
    .command('tail')
    .option('-f, --follow', 'after the newest events, print what comes')
    .option('--lines <n>', `the newest n (at most ${MAX_LINES})`, DEFAULT_LINES)
    .addOption(new Option('--kind <kind>', 'only events of this kind').choices([...AUDIT_KINDS]))
    .option('--agent <name>', 'only of this agent: NAME or NAMESPACE/NAME')
    .description('Print the newest events, oldest first. With -o json one object a line.')
    .action(async (_options, command: Command) => await tail(context, command.optsWithGlobals<TailOptions>()))
  defineAuditExport(audit, context, eventsOf)
}

/** Every event of a data folder, oldest first. */
async function* eventsOf(dataDir: string, log: Log): AsyncGenerator<AuditEvent> {
  const { readAuditEvents, assertAuditLog } = await import('#pkg/systems/audit')
  assertAuditLog(dataDir)
  try {
    yield* readAuditEvents(dataDir, log)
  } catch (cause) {
    throw await unreadable(dataDir, cause)
  }
}

async function verify(context: Context, options: VerifyOptions): Promise<void> {
  const dataDir = await readDataDir(context.deps, options, 'audit')
  const [{ readInputText }, { verifyAudit }] = await Promise.all([
    import('./input-file.ts'),
    import('#pkg/systems/audit'),
  ])
  const publicKey = options.key === undefined ? null : await readInputText(context.deps, options.key, MAX_KEY_BYTES)
  const found = await verifyAudit(dataDir, publicKey === null ? {} : { publicKey })
  await print(context.deps, options, found, () => reportOf(found))
  if (!found.ok) context.exit(1)
}

function reportOf(found: AuditVerification): string {
  const { ok, events, files, from, to, head, unsigned, torn, earlier, faults, faultCount, stream, key } = found
  const span = from === null || to === null ? '' : `, ${from} to ${to}`
  const lines = [
    `${ok ? 'OK' : 'CHANGED'}: ${events} events in ${files} files${span}`,
    `chain     ${stream ?? 'unknown'}`,
    `key       ${key} (SHA-256 of the public key)`,
    `signed    ${head === null ? 'nothing' : `up to event ${head.seq}, at ${head.time}`}; ${unsigned} behind it`,
    ...(earlier > 0 ? [`pinned    ${earlier} files of an older version`] : []),
    ...(torn > 0 ? [`torn      ${torn} bytes of a line that a crash left; its id was given to nobody`] : []),
    ...faults.map(({ code, message }) => `${code.padEnd(9)} ${message}`),
    ...(faultCount > faults.length ? [`and ${faultCount - faults.length} more`] : []),
  ]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

async function tail(context: Context, options: TailOptions): Promise<void> {
  const count = /^[1-9]\d{0,5}$/.test(options.lines) ? Number(options.lines) : Number.NaN
  if (!(count <= MAX_LINES)) throw new SallyportError('USAGE', `--lines must be a whole number from 1 to ${MAX_LINES}`)
  const dataDir = await readDataDir(context.deps, options, 'audit')
  const [audit, { silentLog }] = await Promise.all([import('#pkg/systems/audit'), import('#pkg/platform/log')])
  audit.assertAuditLog(dataDir)
  const agent = options.agent === undefined ? null : agentNamed(options.agent, options)
  const wanted = (event: AuditEvent): boolean =>
    (options.kind === undefined || event.kind === options.kind) &&
    (agent === null || ('agent' in event && event.agent === agent))
  const show = printer(context, options)
  const ending = new AbortController()
  const unhear = options.follow === true ? context.deps.onSignal(() => ending.abort()) : () => {}
  try {
    // what comes is listened for first: nothing falls between, and what is in both comes once
    const coming = options.follow === true ? audit.followAuditFile(dataDir, ending.signal) : null
    const first = coming?.next()
    const shown = new Set<string>()
    for (const event of await newest(dataDir, { count, wanted, log: silentLog }, audit.lastAuditEvents)) {
      shown.add(event.id)
      await show(event)
    }
    if (coming === null || first === undefined) return
    for (let next = await first; next.done !== true; next = await coming.next())
      if (wanted(next.value) && !shown.delete(next.value.id)) await show(next.value)
  } finally {
    unhear()
  }
}

async function newest(
  dataDir: string,
  asked: { readonly count: number; readonly wanted: (event: AuditEvent) => boolean; readonly log: Log },
  read: typeof lastAuditEvents,
): Promise<readonly AuditEvent[]> {
  try {
    return await read(dataDir, asked)
  } catch (cause) {
    throw await unreadable(dataDir, cause)
  }
}

async function unreadable(dataDir: string, cause: unknown): Promise<SallyportError> {
  const { whyNot } = await import('#pkg/platform/files')
  const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  const code = isAbsent ? 'ADMIN_NOT_FOUND' : 'STATE_UNAVAILABLE'
  const why = isAbsent ? 'is not there; is it the data folder (--data)?' : `cannot be read: ${whyNot(cause, dataDir)}`
  return new SallyportError(code, `${dataDir} ${why}`, { cause })
}

const COLUMNS: readonly Column<AuditEvent>[] = [
  { head: 'TIME', width: 24, of: ({ time }) => time },
  { head: 'EVENT', width: 16, of: ({ id }) => id },
  { head: 'KIND', width: 8, of: ({ kind }) => kind },
  { head: 'AGENT', width: 20, of: (event) => ('agent' in event ? (event.agent ?? '-') : '-') },
  { head: 'WHAT', of: (event) => whatOf(event) },
]

function printer({ deps }: Context, options: Globals): (event: AuditEvent) => Promise<void> {
  const format = formatOf(options)
  let isHeaded = false
  return async (event) => {
    if (format === 'json') return await deps.stdout(await valueText(event, 'json'))
    if (format === 'yaml') return await deps.stdout(`---\n${await valueText(event, 'yaml')}`)
    const head = isHeaded ? '' : rowText(COLUMNS, null)
    isHeaded = true
    await deps.stdout(head + rowText(COLUMNS, event))
  }
}

/** One event in a few words. */
function whatOf(event: AuditEvent): string {
  switch (event.kind) {
    case 'verdict':
      return `${event.action} ${event.tool ?? 'request'} ${event.reasons[0] ?? ''}`.trimEnd()
    case 'move':
      return `${event.from ?? 'unknown'} → ${event.to}, epoch ${event.epoch}: ${event.code ?? event.reason ?? event.source}`
    case 'issuance':
      return `${event.credential} ${event.serial} until ${event.notAfter}`
    case 'key-use':
      return `${event.key} for ${event.provider}`
    case 'ca':
      return `${event.authority} ${event.slot}: ${event.from ?? 'new'} → ${event.to}`
    case 'open':
      return `${event.stream} opened: ${event.found}`
  }
}
