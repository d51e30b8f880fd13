import type { Command } from 'commander'
import type { BugReportOptions, Context } from './ports.ts'

/** `sallyctl bug-report` */
export function defineBugReport(parent: Command, context: Context): void {
  parent
    .command('bug-report')
    .description(
      'Write a tar.gz to attach to a bug: versions, which settings are set, digests of policies, the newest verdicts without names. No key, token, name or text of an agent is in it.',
    )
    .option('--file <path>', 'where to write it (default: sallyport-bug-report-TIME.tar.gz here); never overwritten')
    .option('--log <path>', 'a file into which the log of "up -o json" went: its last lines, without their texts')
    .option('--policies <dir>', 'as "up"')
    .option('--dry-run', 'list what would be in it, and write nothing')
    .action(async (_options, command: Command) => {
      const { reportBug } = await import('./bug-report-run.ts')
      await reportBug(context, command.optsWithGlobals<BugReportOptions>())
    })
}
