import type { Command } from 'commander'
import type { CaAnswer, IdentityAnswer } from '#pkg/faces/admin'
import { DEFAULT_TRUST_DOMAIN } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { agentNamed, connect, print } from './session.ts'
import { tableText } from './table.ts'

type VerifyOptions = Globals & {
  readonly bundle?: string
  readonly trustDomain?: string
  readonly audience?: string
}

const MAX_BUNDLE_BYTES = 1024 * 1024

/** `sallyctl identity show [NAME] | verify FILE` */
export function defineIdentity(parent: Command, context: Context): void {
  const identity = parent.command('identity').description('SVIDs of agents: what is held, and whether one verifies.')
  identity
    .command('show')
    .argument('[name]', 'NAME (of namespace -n) or NAMESPACE/NAME; without it all that are held are listed')
    .description('Show the X.509-SVID of an agent, made if need be. With -o json also its chain; keys are never shown.')
    .action(async (name: string | undefined, _options, command: Command) => {
      await show(context, command.optsWithGlobals<Globals>(), name)
    })
  identity
    .command('verify')
    .argument('<file>', 'a chain of certificates in PEM, or a JWT-SVID; "-" = stdin')
    .option('--bundle <file>', 'a trust bundle (JWK Set); without it that of the running process')
    .option('--trust-domain <name>', 'of the bundle of --bundle (default: sallyport.local)')
    .option('--audience <id>', 'for whom a JWT-SVID must be')
    .description('Verify an SVID against a trust bundle. Status 1 when it does not verify.')
    .action(async (file: string, _options, command: Command) => {
      await verify(context, command.optsWithGlobals<VerifyOptions>(), file)
    })
}

async function show(context: Context, globals: Globals, name: string | undefined): Promise<void> {
  const key = name === undefined ? null : agentNamed(name, globals)
  const client = await connect(context, globals)
  if (key !== null) {
    const one = await client.get<IdentityAnswer>(`/v1/identities/${key}`)
    return await print(context.deps, globals, one, () => described(one))
  }
  const all = await client.get<readonly IdentityAnswer[]>('/v1/identities')
  const { namespace } = globals
  const held = namespace === undefined ? all : all.filter((each) => each.namespace === namespace)
  await print(context.deps, globals, held, () =>
    held.length === 0
      ? 'no identity is held; one is made when its agent first asks for something\n'
      : tableText(
          [
            { head: 'SPIFFE ID', of: ({ spiffeId }) => spiffeId },
            { head: 'EPOCH', of: ({ epoch }) => String(epoch), right: true },
            { head: 'NOT AFTER', of: ({ notAfter }) => notAfter },
            { head: 'SERIAL', of: ({ serial }) => serial },
            { head: 'SLOT', of: ({ slot }) => slot },
          ],
          held,
        ),
  )
}

function described(one: IdentityAnswer): string {
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['SPIFFE ID', one.spiffeId],
    ['uid', one.uid],
    ['epoch', String(one.epoch)],
    ['serial', one.serial],
    ['not before', one.notBefore],
    ['not after', one.notAfter],
    ['key', `P-256, thumbprint ${one.thumbprint}`],
    ['signed by', `slot ${one.slot}`],
  ]
  return rows.map(([name, value]) => `${name.padEnd(11)} ${printable(value)}\n`).join('')
}

async function verify(context: Context, options: VerifyOptions, file: string): Promise<void> {
  const [{ readInputText }, { verifyText }] = await Promise.all([import('./input-file.ts'), import('./svid-check.ts')])
  const text = await readInputText(context.deps, file, MAX_BUNDLE_BYTES)
  const { bundle, trustDomain } = await bundleFor(context, options)
  const found = await verifyText(text.trim(), { bundle, trustDomain, audience: options.audience ?? null })
  await print(context.deps, options, found, () => `${printable(sentence(found))}\n`)
  if (!found.ok) context.exit(1)
}

function sentence(found: {
  readonly ok: boolean
  readonly kind: string
  readonly spiffeId?: string
  readonly reason?: string
}): string {
  return found.ok ? `${found.kind} verifies: ${found.spiffeId}` : `${found.kind} does not verify: ${found.reason}`
}

async function bundleFor(
  context: Context,
  options: VerifyOptions,
): Promise<{ readonly bundle: string; readonly trustDomain: string }> {
  if (options.bundle !== undefined) {
    const { readInputText } = await import('./input-file.ts')
    const bundle = await readInputText(context.deps, options.bundle, MAX_BUNDLE_BYTES)
    return { bundle, trustDomain: options.trustDomain ?? DEFAULT_TRUST_DOMAIN }
  }
  if (options.trustDomain !== undefined)
    throw new SallyportError('USAGE', '--trust-domain goes with --bundle: the running process knows its own')
  const client = await connect(context, options)
  const [bundle, { trustDomain }] = await Promise.all([
    client.get<object>('/v1/bundle'),
    client.get<CaAnswer>('/v1/ca'),
  ])
  return { bundle: JSON.stringify(bundle), trustDomain }
}
