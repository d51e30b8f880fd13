import { CommanderError } from 'commander'
import { exitStatusOf, SallyportError } from '#pkg/model/errors'
import { printableLines } from './escape.ts'
import type { CliDeps } from './ports.ts'
import { newProgram } from './program.ts'

export type { CliDeps } from './ports.ts'

const USAGE = 64

/**
 * Runs one command line (without `node` and the script). Resolves to the exit status once everything it started has
 * ended; never rejects.
 */
export async function runCli(deps: CliDeps, words: readonly string[]): Promise<number> {
  let status = 0
  const program = newProgram(deps, (negative) => {
    status = negative
  })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
    return report(deps, error, words)
  }
}

/** Says what went wrong, where a person looks for it. */
function report(deps: CliDeps, error: unknown, words: readonly string[]): number {
  const verbose = words.includes('-v') || words.includes('--verbose')
  if (!(error instanceof SallyportError)) {
    deps.stderr(`sallyctl: INTERNAL: ${printableLines(error instanceof Error ? error.message : 'unknown fault')}\n`)
    if (error instanceof Error) deps.stderr(`${printableLines(error.stack ?? '')}\n`)
    return exitStatusOf('INTERNAL')
  }
  const several = error.code === 'SETTINGS_INVALID' && typeof error.fields['faults'] === 'number'
  const bare = error.code === 'RESOURCE_INVALID' && typeof error.fields['faults'] === 'number'
  const parts = several ? error.message.split('\n') : [error.message]
  for (const part of parts)
    deps.stderr(bare ? `${printableLines(part)}\n` : `sallyctl: ${error.code}: ${printableLines(part)}\n`)
  if (verbose && error.cause instanceof Error) deps.stderr(`cause: ${printableLines(error.cause.stack ?? '')}\n`)
  return exitStatusOf(error.code)
}
