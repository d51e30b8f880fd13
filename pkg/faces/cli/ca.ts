import { Argument, type Command } from 'commander'
import type { CaAnswer } from '#pkg/faces/admin'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { connect, print } from './session.ts'
import { tableText } from './table.ts'

type Verb = 'prepare' | 'activate' | 'taint' | 'revoke'

const VERBS: readonly (readonly [verb: Verb, description: string])[] = [
  ['prepare', 'Make a new key and publish it in the trust bundle. It signs nothing yet.'],
  ['activate', 'Let the published key sign; the one before is retired, and what it signed still verifies.'],
  ['taint', 'Mark a key that is not trusted any more: what it signed is replaced now.'],
  ['revoke', 'Take a tainted key out of the trust bundle: what it signed verifies no longer.'],
]

const AUTHORITIES = { x509: 'X509', jwt: 'Jwt' } as const

/** `sallyctl ca status|prepare|activate|taint|revoke` */
export function defineCa(parent: Command, context: Context): void {
  const ca = parent.command('ca').description('The signing keys of the certificate authority.')
  ca.command('status')
    .description('List the keys: what each signs, its state and its end.')
    .action(async (_options, command: Command) => {
      const globals = command.optsWithGlobals<Globals>()
      const client = await connect(context, globals)
      await tell(context, globals, await client.get<CaAnswer>('/v1/ca'))
    })
  for (const [verb, description] of VERBS) {
    const command = ca
      .command(verb)
      .description(description)
      .addArgument(new Argument('<authority>', 'what the key signs').choices(Object.keys(AUTHORITIES)))
      .requiredOption('--reason <text>', 'why; it goes on record, at most 512 characters')
    if (verb !== 'prepare') command.option('--slot <id>', 'which key (default: the only one that can be meant)')
    command.action(async (authority: keyof typeof AUTHORITIES, _options, self: Command) => {
      const options = self.optsWithGlobals<Globals & { readonly reason: string; readonly slot?: string }>()
      const { reason, slot } = options
      const body = { authority: AUTHORITIES[authority], reason, ...(slot === undefined ? {} : { slot }) }
      const client = await connect(context, options)
      await tell(context, options, await client.post<CaAnswer>(`/v1/ca/${verb}`, body))
    })
  }
}

async function tell(context: Context, globals: Globals, answer: CaAnswer): Promise<void> {
  await print(context.deps, globals, answer, () => text(answer))
  if (answer.fault !== null) {
    context.deps.stderr(`sallyctl: nothing is signed now: ${printable(answer.fault)}\n`)
    context.exit(1)
  }
}

function text({ trustDomain, sequence, slots }: CaAnswer): string {
  const head = `trust domain ${printable(trustDomain)}, bundle ${sequence}\n`
  if (slots.length === 0) return `${head}no key yet: they are made right behind the first start\n`
  return (
    head +
    tableText(
      [
        { head: 'SLOT', of: ({ id }) => id },
        { head: 'SIGNS', of: ({ authority }) => (authority === 'X509' ? 'X.509-SVIDs' : 'JWT-SVIDs') },
        { head: 'STATE', of: ({ state }) => state },
        { head: 'MADE', of: ({ made }) => made },
        { head: 'NOT AFTER', of: ({ notAfter }) => notAfter },
      ],
      slots,
    )
  )
}
