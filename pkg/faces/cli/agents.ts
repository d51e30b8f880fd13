import type { Command } from 'commander'
import type { AgentAnswer } from '#pkg/faces/admin'
import { agentKeyOf } from '#pkg/model'
import type { Hint } from './called-as.ts'
import { printable } from './escape.ts'
import { defineForget } from './moves.ts'
import { paint } from './paint.ts'
import type { Context, Globals } from './ports.ts'
import { agentNamed, connect, print, warnOfFaults } from './session.ts'
import { type Column, clipped, tableText } from './table.ts'

/** A longer reason is shown whole by `-o wide` and by `agents NAME`. */
const REASON_WIDTH = 48

/** `sallyctl agents [NAME]` */
export function defineAgents(parent: Command, context: Context): void {
  const agents = parent
    .command('agents')
    .argument('[name]', 'NAME (of namespace -n) or NAMESPACE/NAME; without it all are listed')
    .description('List agents, or describe one: state and why, epoch, holds, policies. With -o json also its token.')
    .option('-w, --watch', 'print what changes, until a signal')
    .action(async (name: string | undefined, _options, command: Command) => {
      const globals = command.optsWithGlobals<Globals & { readonly watch?: boolean }>()
      if (globals.watch === true) await watch(context, globals, name)
      else await (name === undefined ? list(context, globals) : describe(context, globals, name))
    })
  defineForget(agents, context)
}

async function watch(context: Context, globals: Globals, name: string | undefined): Promise<void> {
  const { namespace } = globals
  const key = name === undefined ? null : agentNamed(name, globals)
  const client = await connect(context, globals)
  if (key !== null) await client.get<AgentAnswer>(`/v1/agents/${key}`)
  const { watchAgents } = await import('./agents-watch.ts')
  const wanted = (agent: AgentAnswer): boolean =>
    key === null ? namespace === undefined || agent.namespace === namespace : agentKeyOf(agent) === key
  await watchAgents(context, globals, { client, wanted })
}

async function list(context: Context, globals: Globals): Promise<void> {
  const client = await connect(context, globals)
  const all = await client.get<readonly AgentAnswer[]>('/v1/agents')
  const agents = globals.namespace === undefined ? all : all.filter((agent) => agent.namespace === globals.namespace)
  await print(context.deps, globals, agents, (format) =>
    agents.length === 0
      ? `no agents; "${context.program} up --policies DIR" reads them from Agent files\n`
      : tableText(columnsOf(format, paint(context.deps, globals)), agents),
  )
  await warnOfFaults(context.deps, client)
}

async function describe(context: Context, globals: Globals, name: string): Promise<void> {
  const key = agentNamed(name, globals)
  const client = await connect(context, globals)
  const agent = await client.get<AgentAnswer>(`/v1/agents/${key}`)
  await print(context.deps, globals, agent, () => description(agent, client.hint))
  await warnOfFaults(context.deps, client)
}

function columnsOf(format: 'table' | 'wide', paintWord: ReturnType<typeof paint>): readonly Column<AgentAnswer>[] {
  const narrow: readonly Column<AgentAnswer>[] = [
    { head: 'NAMESPACE', of: (agent) => agent.namespace },
    { head: 'NAME', of: (agent) => agent.name },
    { head: 'STATE', of: (agent) => agent.state, paint: paintWord },
    { head: 'ROLE', of: (agent) => agent.role ?? '-' },
    { head: 'MODE', of: (agent) => agent.mode ?? '-' },
    { head: 'EPOCH', of: (agent) => String(agent.epoch), right: true },
    { head: 'ACKED', of: (agent) => `${agent.acks.received}/${agent.acks.wanted}`, right: true },
  ]
  if (format === 'table')
    return [...narrow, { head: 'REASON', of: (agent) => clipped(agent.reason ?? '-', REASON_WIDTH) }]
  return [
    ...narrow,
    { head: 'GENERATION', of: (agent) => String(agent.generation), right: true },
    { head: 'HOLDS', of: (agent) => String(agent.holds.length), right: true },
    { head: 'POLICIES', of: (agent) => agent.policies.join(',') || '-' },
    { head: 'REASON', of: (agent) => agent.reason ?? '-' },
  ]
}

/** A release by a verb takes the holds away; the file's leaves them on record, and says how far. */
function releasedBy({ releaseThroughEpoch }: AgentAnswer): string {
  return releaseThroughEpoch === 0 ? '' : `released by its file through ${releaseThroughEpoch}, `
}

function description(agent: AgentAnswer, hint: Hint): string {
  const lines = [
    `agent       ${agent.namespace}/${agent.name}`,
    `state       ${agent.state}`,
    `reason      ${agent.reason ?? '-'}`,
    `epoch       ${agent.epoch}, ${releasedBy(agent)}acked ${agent.acks.received} of ${agent.acks.wanted}`,
    `role        ${agent.role ?? '-'}`,
    `mode        ${agent.mode ?? '-'}`,
    `policies    ${agent.policies.join(', ') || 'none selects it: every request is refused'}`,
    `generation  ${agent.generation}`,
    ...agent.holds.map(
      (hold) =>
        `hold        ${hold.state} by ${hold.source}: ${hold.code}, epoch ${hold.epoch}, since ${hold.since}` +
        (hold.verdictId === null ? '' : `, verdict ${hold.verdictId}`) +
        (hold.by === undefined ? '' : `, by ${hold.by}: ${hold.reason ?? '-'}`),
    ),
    ...agent.warnings.map((warning) => `warning     ${warning.code}: ${warning.message}`),
    `token       ${hint(`agents ${agent.namespace}/${agent.name} -o json`)}`,
  ]
  return `${lines.map(printable).join('\n')}\n`
}
