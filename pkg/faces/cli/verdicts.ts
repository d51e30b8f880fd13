import type { Command } from 'commander'
import type { AgentKey, VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Client } from './client.ts'
import { printable } from './escape.ts'
import { paint } from './paint.ts'
import type { Context, Globals } from './ports.ts'
import { agentNamed, connect, folderLeftBy, formatOf, tellOffline, valueText } from './session.ts'
import { type Column, rowText } from './table.ts'

type Options = Globals & {
  readonly follow?: boolean
  readonly agent?: string
  readonly reason?: string
  readonly since?: string
  readonly limit?: string
}

/** Room for every reason that Audit may let pass, with its mark, and for the longest of the others. */
const REASON_WIDTH = 31

/** `sallyctl verdicts [--follow --agent --reason --since --limit]` */
export function defineVerdicts(parent: Command, context: Context): void {
  parent
    .command('verdicts')
    .description(
      'Print verdicts, oldest first, and end; with --follow go on. With -o json one object a line. Without a running process: from the files in --data.',
    )
    .option('-f, --follow', 'after the history, print what comes')
    .option('--agent <name>', 'only of this agent: NAME or NAMESPACE/NAME')
    .option('--reason <code>', 'only with this reason, such as TOOL_NOT_GRANTED')
    .option('--since <when>', 'not before: RFC 3339, or how long ago (90s, 10m, 2h, 7d)')
    .option('--limit <n>', 'of the history only the newest n (at most 100000)')
    .action(async (_options, command: Command) => await verdicts(context, command.optsWithGlobals<Options>()))
}

async function verdicts(context: Context, options: Options): Promise<void> {
  const query = queryOf(options)
  const client = await connect(context, options)
  const show = printer(context, options)
  const ending = new AbortController()
  const unhear = options.follow === true ? context.deps.onSignal(() => ending.abort()) : () => {}
  try {
    if (options.agent !== undefined) await tellUnknown(context, client, agentNamed(options.agent, options))
    await client.lines<VerdictRecord>(`/v1/verdicts?${query}`, show, ending.signal)
  } catch (error) {
    const folder = options.follow === true ? null : folderLeftBy(error, client)
    if (folder === null || !(await showFiles(context, folder, query, show))) throw error
  } finally {
    unhear()
  }
  if (options.follow === true && !ending.signal.aborted)
    context.deps.stderr('sallyctl: the process has ended the stream\n')
}

/** Verdicts of an agent that has left the folder are still there: that nobody is called so now is said, and no fault. */
async function tellUnknown({ deps }: Context, client: Client, agent: AgentKey): Promise<void> {
  try {
    await client.get(`/v1/agents/${agent}`)
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'ADMIN_NOT_FOUND') throw error
    deps.stderr(`sallyctl: ${printable(error.message)}\n`)
  }
}

type Show = (record: VerdictRecord) => Promise<void>

/** The same answer from the files of the folder; false where there are none. */
async function showFiles(context: Context, folder: string, query: string, show: Show): Promise<boolean> {
  const { readVerdicts, verdictFilesOf } = await import('./verdict-files.ts')
  const files = verdictFilesOf(folder)
  const newest = files.at(-1)
  if (newest === undefined) return false
  tellOffline(context.deps, newest)
  for await (const record of readVerdicts(files, query)) await show(record)
  return true
}

function printer({ deps }: Context, options: Options): Show {
  const format = formatOf(options)
  const columns = columnsOf(format === 'wide', paint(deps, options))
  let headed = false
  return async (record) => {
    if (format === 'json') return await deps.stdout(await valueText(record, 'json'))
    if (format === 'yaml') return await deps.stdout(`---\n${await valueText(record, 'yaml')}`)
    const head = headed ? '' : rowText(columns, null)
    headed = true
    await deps.stdout(head + rowText(columns, record))
  }
}

function queryOf(options: Options): string {
  const query = new URLSearchParams()
  if (options.agent !== undefined) query.set('agent', agentNamed(options.agent, options))
  if (options.reason !== undefined) query.set('reason', options.reason)
  if (options.since !== undefined) query.set('since', options.since)
  if (options.limit !== undefined) query.set('limit', options.limit)
  if (options.follow === true) query.set('follow', 'true')
  return query.toString()
}

function columnsOf(wide: boolean, paintWord: (cell: string) => string): readonly Column<VerdictRecord>[] {
  const narrow: readonly Column<VerdictRecord>[] = [
    { head: 'TIME', width: 24, of: (record) => record.time },
    { head: 'VERDICT', width: 16, of: (record) => record.id },
    { head: 'AGENT', width: 20, clip: !wide, of: (record) => record.agent ?? '-' },
    { head: 'TOOL', width: 16, clip: !wide, of: (record) => record.tool ?? '-' },
    { head: 'ACTION', width: 6, of: (record) => record.action, paint: paintWord },
    { head: 'REASON', width: REASON_WIDTH, clip: !wide, of: (record) => reasonOf(record) },
    { head: 'µs', width: 6, right: true, of: (record) => String(record.us) },
  ]
  if (!wide) return narrow
  return [
    ...narrow,
    { head: 'DIALECT', width: 11, of: (record) => record.dialect },
    { head: 'DIRECTION', width: 9, of: (record) => record.direction },
    { head: 'CHECK', width: 8, of: (record) => record.check ?? '-' },
    { head: 'SESSION', width: 7, of: (record) => record.session ?? '-' },
    { head: 'POLICY', width: 16, of: (record) => record.policy ?? '-' },
    { head: 'RULE', width: 4, of: (record) => record.rule ?? '-' },
  ]
}

function reasonOf(record: VerdictRecord): string {
  const [first = '-'] = record.reasons
  return record.enforced || first === '-' ? first : `${first} (audit)`
}
