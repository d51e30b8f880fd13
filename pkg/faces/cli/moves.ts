import type { Command } from 'commander'
import type { MoveVerb } from '#pkg/faces/admin'
import { SallyportError } from '#pkg/model/errors'
import { agentArgument, runMove } from './move-run.ts'
import type { Context, Globals } from './ports.ts'

type Options = Globals & {
  readonly reason: string
  readonly throughEpoch?: string
  readonly confirm?: string
  readonly force?: boolean
}

const REASON = ['--reason <text>', 'why; it goes on record, at most 512 characters'] as const

const PLAIN: readonly (readonly [verb: MoveVerb, description: string])[] = [
  ['quarantine', 'Stop an agent: open exchanges are cut now, and all that it asks for is refused.'],
  ['suspend', 'Stop an agent for longer: as quarantine, and only reinstate or terminate lead out.'],
]

const LIFTING: readonly (readonly [verb: MoveVerb, description: string])[] = [
  ['release', 'Let a quarantined agent act again, or one that waits for a person (activation: Manual).'],
  ['reinstate', 'Let a suspended agent act again.'],
]

/** `sallyctl quarantine|suspend|release|reinstate|terminate NAME --reason R` */
export function defineMoves(parent: Command, context: Context): void {
  for (const [verb, description] of PLAIN) defineVerb(parent, context, verb).description(description)
  for (const [verb, description] of LIFTING)
    defineVerb(parent, context, verb)
      .option(
        '--through-epoch <epoch>',
        'release holds up to this epoch (default: that of the agent now); later ones survive',
      )
      .description(description)
  defineVerb(parent, context, 'terminate')
    .requiredOption('--confirm <name>', 'the name of the agent, once more: this is final')
    .option('--force', 'the emergency move, from any state')
    .description('End a suspended agent for good. Nothing but "agents forget" lets its name be used again.')
}

/** `sallyctl agents forget NAME --reason R` */
export function defineForget(agents: Command, context: Context): void {
  defineVerb(agents, context, 'forget').description(
    'Drop what is left of a terminated agent: a new one may have its name. Its epoch goes on, so that its old credentials stay dead.',
  )
}

function defineVerb(parent: Command, context: Context, verb: MoveVerb): Command {
  const command = parent.command(verb)
  return agentArgument(command)
    .requiredOption(...REASON)
    .action(async (name: string, _options, self: Command) => {
      const options = self.optsWithGlobals<Options>()
      await runMove(context, { verb, name, globals: options, body: bodyOf(options) })
    })
}

function bodyOf({ reason, throughEpoch, confirm, force }: Options): Readonly<Record<string, unknown>> {
  return {
    reason,
    ...(throughEpoch === undefined ? {} : { throughEpoch: epochOf(throughEpoch) }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(force === undefined ? {} : { force }),
  }
}

function epochOf(text: string): number {
  const epoch = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(epoch))
    throw new SallyportError('USAGE', '--through-epoch must be a whole number: the epoch that "agents NAME" shows')
  return epoch
}
