import type { Command } from 'commander'
import type { VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Client } from './client.ts'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { Tally } from './run-summary.ts'
import { agentNamed, connect, folderLeftBy, formatOf, tellOffline, valueText } from './session.ts'

/** `sallyctl policy suggest AGENT` */
export function definePolicySuggest(parent: Command, context: Context): void {
  parent
    .command('suggest')
    .argument('<agent>', 'NAME (of namespace -n) or NAMESPACE/NAME')
    .description(
      'Print the least policy under which an agent could do again what it was let do; nothing is put in force.',
    )
    .action(async (name: string, _options, command: Command) => {
      await suggestPolicy(context, command.optsWithGlobals<Globals>(), name)
    })
}

async function suggestPolicy(context: Context, globals: Globals, name: string): Promise<void> {
  const { deps } = context
  const key = agentNamed(name, globals)
  if (globals.address !== undefined)
    throw new SallyportError('USAGE', '--address: what agents did is read from the data folder; give --data DIR')
  const client = await connect(context, globals)
  const { readObserved } = await import('#pkg/systems/observed')
  const tally = new Tally()
  await refusedCalls(context, client, key, (record) => tally.add({ ...record, enforced: true })) // what Audit let pass is not granted either
  const observed = readObserved(client.dataDir ?? '')?.agents[key]
  if (observed === undefined || observed.snapshot.denyAll)
    throw new SallyportError(
      'ADMIN_NOT_FOUND',
      `nothing is known of what "${key}" did: let it work first, such as with "${client.hint('run')} -- CMD"`,
    )
  const { suggest } = await import('./suggestion.ts')
  const { policy, notes } = suggest(observed, tally.summary(key, 0).refused)
  if (formatOf(globals) === 'json') return await deps.stdout(await valueText({ policy, notes }, 'json'))
  const comments = notes.map((note) => `# ${printable(note)}\n`).join('')
  await deps.stdout(comments + (await valueText(policy, 'yaml')))
}

/** All verdicts of an agent: from the process that runs, else from its files. */
async function refusedCalls(
  context: Context,
  client: Client,
  agent: string,
  take: (record: VerdictRecord) => void,
): Promise<void> {
  const query = new URLSearchParams({ agent }).toString()
  try {
    await client.lines<VerdictRecord>(`/v1/verdicts?${query}`, async (record) => take(record))
  } catch (error) {
    const folder = folderLeftBy(error, client)
    if (folder === null) throw error
    const { readVerdicts, verdictFilesOf } = await import('./verdict-files.ts')
    const files = verdictFilesOf(folder)
    const newest = files.at(-1)
    if (newest !== undefined) tellOffline(context.deps, newest)
    for await (const record of readVerdicts(files, query)) take(record)
  }
}
