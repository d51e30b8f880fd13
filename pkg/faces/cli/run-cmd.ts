import type { Command } from 'commander'
import type { Context, RunOptions } from './ports.ts'

/** `sallyctl run [--agent A] -- CMD` */
export function defineRun(parent: Command, context: Context): void {
  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
  parent
    .command('run')
    .argument('<command...>', 'the program and its words, after --')
    .description(
      'Run a program as an agent: through the process on --data, else through one of its own. Its exit status is kept.',
    )
    .option('--agent <name>', 'which agent it is: NAME or NAMESPACE/NAME; needed where there are several')
    .option('--policies <dir>', 'of a process of its own: as "up"')
    .option('--upstream <name=url>', 'of a process of its own: as "up"; repeatable', several)
    .option('--simulate', 'of a process of its own: as "up"')
    .action(async (words: readonly string[], _options, command: Command) => {
      const { runAgent } = await import('./run-agent.ts')
      await runAgent(context, command.optsWithGlobals<RunOptions>(), words)
    })
}
