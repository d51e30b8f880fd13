import { type Command, Option } from 'commander'
import { AUDIT_KINDS } from '#pkg/model'
import type { ExportFormat } from '#pkg/systems/audit'
import type { AuditExportOptions, AuditSource } from './audit-export-run.ts'
import type { Context } from './ports.ts'

const FORMATS = ['ocsf', 'cef', 'ecs'] as const satisfies readonly ExportFormat[]

/** `sallyctl audit export [--format --since --agent --kind --trust-domain]` */
export function defineAuditExport(parent: Command, context: Context, source: AuditSource): void {
  parent
    .command('export')
    .description(
      'Print the events of the audit log for a SIEM, oldest first, one line each, from the files in --data. No process is asked, and none may miss it.',
    )
    .addOption(new Option('--format <format>', 'how to print an event').choices([...FORMATS]).default('ocsf'))
    .option('--since <when>', 'not before: RFC 3339, or how long ago (90s, 10m, 2h, 7d)')
    .option('--agent <name>', 'only of this agent: NAME or NAMESPACE/NAME')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices([...AUDIT_KINDS]))
    .option('--trust-domain <name>', 'print the SPIFFE ID of every agent, in this domain (default: its key)')
    .action(async (_options, command: Command) => {
      const { runAuditExport } = await import('./audit-export-run.ts')
      await runAuditExport(context, command.optsWithGlobals<AuditExportOptions>(), source)
    })
}
