import type { Command } from 'commander'
import type { AgentAnswer } from '#pkg/faces/admin'
import type { Hint } from './called-as.ts'
import { printable } from './escape.ts'
import { paint } from './paint.ts'
import type { Context, Globals } from './ports.ts'
import { agentNamed, connect, print, warnOfFaults } from './session.ts'
import { type Column, clipped, tableText } from './table.ts'

/** A longer reason is shown whole by `-o wide` and by `agents NAME`. */
const REASON_WIDTH = 48

/** `sallyctl agents [NAME]` */
export function defineAgents(parent: Command, context: Context): void {
  parent
    .command('agents')
    .argument('[name]', 'NAME (of namespace -n) or NAMESPACE/NAME; without it all are listed')
    .description('List agents, or describe one: state and why, epoch, holds, policies. With -o json also its token.')
    .action(async (name: string | undefined, _options, command: Command) => {
      const globals = command.optsWithGlobals<Globals>()
      await (name === undefined ? list(context, globals) : describe(context, globals, name))
    })
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

function description(agent: AgentAnswer, hint: Hint): string {
  const lines = [
    `agent       ${agent.namespace}/${agent.name}`,
    `state       ${agent.state}`,
    `reason      ${agent.reason ?? '-'}`,
    `epoch       ${agent.epoch}, released through ${agent.releaseThroughEpoch}, acked ${agent.acks.received} of ${agent.acks.wanted}`,
    `role        ${agent.role ?? '-'}`,
    `mode        ${agent.mode ?? '-'}`,
    `policies    ${agent.policies.join(', ') || 'none selects it: every request is refused'}`,
    `generation  ${agent.generation}`,
    ...agent.holds.map(
      (hold) =>
        `hold        ${hold.state} by ${hold.source}: ${hold.code}, epoch ${hold.epoch}, since ${hold.since}` +
        (hold.verdictId === null ? '' : `, verdict ${hold.verdictId}`),
    ),
    ...agent.warnings.map((warning) => `warning     ${warning.code}: ${warning.message}`),
    `token       ${hint(`agents ${agent.namespace}/${agent.name} -o json`)}`,
  ]
  return `${lines.map(printable).join('\n')}\n`
}
