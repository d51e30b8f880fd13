import type { Command } from 'commander'
import type { Context, UpOptions } from './ports.ts'

/** `sallyctl check` */
export function defineCheck(parent: Command, context: Context): void {
  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
  parent
    .command('check')
    .description(
      'Look whether "up" can work here: versions, folders, policies, ports, providers, clock. No key is sent.',
    )
    .option('--policies <dir>', 'as "up"')
    .option('--port <port>', 'as "up"')
    .option('--admin-port <port>', 'as "up"')
    .option('--upstream <name=url>', 'as "up"; repeatable', several)
    .option('--offline', 'do not ask the providers')
    .action(async (_options, command: Command) => {
      const { runCheck } = await import('./check-run.ts')
      await runCheck(context, command.optsWithGlobals<UpOptions & { readonly offline?: boolean }>())
    })
}
