import { Command, Option } from 'commander'
import { defineAgents } from './agents.ts'
import { defineAudit } from './audit.ts'
import { defineBugReport } from './bug-report.ts'
import { defineCa } from './ca.ts'
import { currentFolder, programOf } from './called-as.ts'
import { defineCheck } from './check.ts'
import { defineCompletion } from './completion.ts'
import { defineDashboard } from './dashboard.ts'
import { defineIdentity } from './identity.ts'
import { defineMoves } from './moves.ts'
import { definePolicyCheck } from './policy-check.ts'
import { definePolicyEffective } from './policy-effective.ts'
import { definePolicyExplain } from './policy-explain.ts'
import { definePolicySuggest } from './policy-suggest.ts'
import { type CliDeps, type Context, FORMATS } from './ports.ts'
import { defineRun } from './run-cmd.ts'
import { defineUp } from './up.ts'
import { defineVerdicts } from './verdicts.ts'
import { defineVersion, versionText } from './version.ts'

/** The whole command line. `exit` is told the status of a command that ends without a throw but not with yes. */
export function newProgram(deps: CliDeps, exit: (status: number) => void): Command {
  const called = deps.program ?? programOf(process.argv[1], currentFolder())
  const context: Context = { deps, exit, program: called }
  const program = new Command('sallyctl')
    .description('Runs and asks a sallyport: a firewall for what AI agents do.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void deps.stdout(text), writeErr: deps.stderr })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(`(${called} --help, or ${called} COMMAND --help, says more)`)
    .version(versionText(deps), '-V, --version', 'print the version')
    .option('-n, --namespace <ns>', 'namespace of an agent that is named without one (default)')
    .option('--address <url>', 'admin API to ask, with SALLYPORT_ADMIN_TOKEN; else the socket in --data')
    .option(
      '--data <dir>',
      'data folder (SALLYPORT_DATA; default $XDG_DATA_HOME/sallyport or ~/.local/share/sallyport)',
    )
    .addOption(new Option('-o, --output <format>', 'how to print the result').choices([...FORMATS]))
    .option('--no-color', 'no colour, also on a terminal')
    .option('-v, --verbose', 'causes of faults; debug lines of "up"')

  defineUp(program, context)
  defineRun(program, context)
  defineCheck(program, context)
  defineBugReport(program, context)
  const policy = program.command('policy').description('Check, read and explain policies.')
  definePolicyCheck(policy, context)
  definePolicyExplain(policy, context)
  definePolicyEffective(policy, context)
  definePolicySuggest(policy, context)
  defineVerdicts(program, context)
  defineAgents(program, context)
  defineMoves(program, context)
  defineIdentity(program, context)
  defineCa(program, context)
  defineAudit(program, context)
  defineDashboard(program, context)
  defineVersion(program, context)
  defineCompletion(program, context)
  return program
}
