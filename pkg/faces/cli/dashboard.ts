import type { Command } from 'commander'
import type { DashboardCodeAnswer } from '#pkg/faces/admin'
import { SallyportError } from '#pkg/model/errors'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { connect, formatOf, print } from './session.ts'

/** `sallyctl dashboard` */
export function defineDashboard(parent: Command, context: Context): void {
  parent
    .command('dashboard')
    .option('--no-open', 'print the address and open no browser')
    .description(
      'Print the address of the dashboard, which works once, and open it in a browser where this is a terminal.',
    )
    .action(async (_options, command: Command) => {
      await runDashboard(context, command.optsWithGlobals<Globals & { readonly open: boolean }>())
    })
}

async function runDashboard(context: Context, options: Globals & { readonly open: boolean }): Promise<void> {
  const { deps } = context
  if (options.address !== undefined)
    throw new SallyportError(
      'ADMIN_FORBIDDEN',
      '--address: codes of the dashboard are given over the socket of the data folder alone; give --data DIR',
    )
  const client = await connect(context, options)
  const answer = await client.post<DashboardCodeAnswer>('/v1/dashboard/codes', {})
  await print(deps, options, answer, () => `${printable(answer.url)}\n`)
  const format = formatOf(options)
  if (format === 'json' || format === 'yaml') return
  deps.stderr(`it works once, within ${answer.expiresInSeconds} s\n`)
  if (!options.open || deps.openInBrowser === undefined) return
  const fault = await deps.openInBrowser(answer.url)
  if (fault !== null) deps.stderr(`no browser could be opened (${printable(fault)}): open the address yourself\n`)
}
