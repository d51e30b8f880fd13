import type { Command } from 'commander'
import type { Context, Globals } from './ports.ts'

/** `sallyctl policy check FILE…` */
export function definePolicyCheck(parent: Command, context: Context): void {
  parent
    .command('check')
    .argument('<file...>', 'files, or folders whose YAML and JSON files are read')
    .description(
      'Check AgentPolicy and Agent files as "up" would: schema, CEL, merging; file:line:column of each fault.',
    )
    .action(async (files: readonly string[], _options, command: Command) => {
      const { checkPolicies } = await import('./policy-check-run.ts')
      await checkPolicies(context, command.optsWithGlobals<Globals>(), files)
    })
}
