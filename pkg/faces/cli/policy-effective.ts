import type { Command } from 'commander'
import { grantSpeaksOf, type Snapshot, type Source, type ToolGrant } from '#pkg/model'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { agentNamed, connect, print, warnOfFaults } from './session.ts'

/** `sallyctl policy effective AGENT` */
export function definePolicyEffective(parent: Command, context: Context): void {
  parent
    .command('effective')
    .argument('<agent>', 'NAME (of namespace -n) or NAMESPACE/NAME')
    .description('Print the rules that hold for an agent after merging, each with where it was written.')
    .action(async (name: string, _options, command: Command) => {
      const globals = command.optsWithGlobals<Globals>()
      const key = agentNamed(name, globals)
      const client = await connect(context, globals)
      const snapshot = await client.get<Snapshot>(`/v1/agents/${key}/policy`)
      await print(context.deps, globals, snapshot, () => snapshotText(snapshot))
      await warnOfFaults(context.deps, client)
    })
}

function snapshotText(snapshot: Snapshot): string {
  const { agent, role, mode, policies, generation, digest } = snapshot
  const head = [`agent       ${agent}`, `generation  ${generation}  ${digest}`]
  if (snapshot.denyAll)
    return textOf([...head, 'no accepted policy selects it: every request is refused (POLICY_NONE_SELECTS)'])
  return textOf([
    ...head,
    `role        ${role}`,
    `mode        ${mode}`,
    `policies    ${policies.join(', ')}`,
    ...section('tools.allow', snapshot.grants, (grant) => {
      const intents =
        grant.intents === null ? 'judged by its arguments' : `intents ${grant.intents.join(', ') || 'none'}`
      const bounds = [
        grant.schema === null || grant.schema === undefined ? [] : ['schema'],
        grant.rules.map((rule) => `rule ${rule.name}`),
      ]
      return [grant.name, placeOf(grant), intents, ...bounds.flat()].join('; ')
    }),
    ...section('tools.deny', snapshot.denies, ({ name, server }) =>
      server === '' ? name : `${name}; at ${server} alone`,
    ),
    ...section('intents.allow', snapshot.intents.allow, (intent) => intent.intent),
    ...section('intents.deny', snapshot.intents.deny, (intent) => intent.intent),
    ...section('llm.providers', snapshot.providers, (provider) => {
      const hosted = provider.hostedTools.map((one) => one.name).join(', ')
      const opaque = provider.opaque.map((one) => `; OPAQUE ${one.upgrade} ${one.method} ${one.path}: not inspected`)
      return `${provider.name} (${provider.type}); models ${provider.models.join(', ') || 'none'}; hosted tools ${hosted || 'none'}${opaque.join('')}`
    }),
    ...section('egress', snapshot.egress, (entry) => {
      const places = `${entry.name}: ${entry.hosts.join(', ')}; ports ${entry.ports.join(', ') || 'none'}`
      if (entry.tls === 'Opaque') return `${places}; OPAQUE by CONNECT: not inspected`
      return `${places}; methods ${entry.methods.join(', ') || 'none'}; paths ${entry.pathPrefixes.join(', ') || 'none'}`
    }),
    '',
    `onViolation: ${snapshot.onViolation.action}`,
    ...snapshot.onViolation.rules.map((rule) => `  ${rule.reasons.join(', ')} → ${rule.action}${from(rule.source)}`),
    ...(snapshot.textTools.length === 0 ? [] : ['', 'textTools:']),
    ...snapshot.textTools.map((textTool) => `  ${textTool.kind} ${textTool.word}`),
  ])
}

/** Where a granted call is carried out. */
function placeOf(grant: ToolGrant): string {
  if (grant.server === '') return grant.execution
  const proposed = grantSpeaksOf(grant, '') ? '' : ', not when a model proposes it'
  return `${grant.execution} at ${grant.server} alone${proposed}`
}

function section<R extends { readonly source: Source }>(
  name: string,
  rows: readonly R[],
  text: (row: R) => string,
): string[] {
  if (rows.length === 0) return ['', `${name}: none`]
  return ['', `${name}:`, ...rows.map((row) => `  ${text(row)}${from(row.source)}`)]
}

function from(source: Source): string {
  return `  (${source.policy} ${source.path})`
}

function textOf(lines: readonly string[]): string {
  return `${lines.map(printable).join('\n')}\n`
}
