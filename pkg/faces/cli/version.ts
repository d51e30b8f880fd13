import type { Command } from 'commander'
import type { CliDeps, Context, Globals } from './ports.ts'
import { print } from './session.ts'

/** What `version` and `--version` print for a person. */
export function versionText(deps: CliDeps): string {
  return `sallyctl ${deps.version}`
}

/** `sallyctl version` */
export function defineVersion(parent: Command, context: Context): void {
  parent
    .command('version')
    .description('Print the version of this program.')
    .action(async (_options, command: Command) => {
      const { deps } = context
      const value = { version: deps.version }
      await print(deps, command.optsWithGlobals<Globals>(), value, () => `${versionText(deps)}\n`)
    })
}
