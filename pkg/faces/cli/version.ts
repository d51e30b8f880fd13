import type { Command } from 'commander'
import type { Context, Globals } from './ports.ts'
import { print } from './session.ts'

/** `sallyctl version` */
export function defineVersion(parent: Command, context: Context): void {
  parent
    .command('version')
    .description('Print the version of this program.')
    .action(async (_options, command: Command) => {
      const { deps } = context
      const value = { version: deps.version }
      await print(deps, command.optsWithGlobals<Globals>(), value, () => `sallyctl ${deps.version}\n`)
    })
}
