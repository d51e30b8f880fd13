import { type AgentKey, agentKeyOf } from '#pkg/model'
import type { Advice, AgentStatus } from '#pkg/planes/standalone'
import type { Hint } from './called-as.ts'
import { printable } from './escape.ts'

/** What is known once everything listens. */
export type Ready = {
  readonly facade: string
  /** Of the admin API. */
  readonly url: string
  readonly token: string
  readonly standalone: {
    agents(): readonly Pick<AgentStatus, 'namespace' | 'name' | 'state' | 'reason'>[]
    tokenOf(agent: AgentKey): string | null
    warnings(): readonly Advice[]
  }
  /** Commands to paste that ask this process. */
  readonly hint: Hint
}

/** Agents whose lines are printed for a person; a longer list helps nobody. */
const SHOWN_AGENTS = 5

/** The first line of `up -o json`. Programs rely on it. DESIGN §8. */
export function readyLine(ready: Ready): string {
  const { facade, url, token } = ready
  const warnings = ready.standalone.warnings()
  return `${JSON.stringify({ ready: true, facade, admin: url, adminToken: token, agents: agentsOf(ready), warnings })}\n`
}

/** The same for a person, with lines to paste. */
export function readyText(ready: Ready): string {
  const agents = agentsOf(ready)
  const lines = [
    'sallyport is ready',
    `  facade  ${ready.facade}  (base URLs: /openai/v1, /anthropic, /gemini; the agent's token is the API key)`,
    `  admin   ${ready.url}  (ask it: ${ready.hint('agents')})`,
  ]
  if (agents.length === 0)
    lines.push('', 'No agent is known: every request is refused. "--policies DIR" reads Agent files.')
  for (const { namespace, name, token, state, reason } of agents.slice(0, SHOWN_AGENTS))
    lines.push(
      '',
      `agent ${namespace}/${name}${state === 'Active' ? '' : `  ${state}: ${reason ?? 'not released'}; all that it asks for is refused`}`,
      `  export OPENAI_BASE_URL=${ready.facade}/openai/v1`,
      `  export OPENAI_API_KEY=${token}`,
    )
  const more = agents.slice(SHOWN_AGENTS)
  const held = more.filter((agent) => agent.state !== 'Active').length
  if (more.length > 0)
    lines.push('', `and ${more.length} more, ${held} of them not Active: ${ready.hint('agents -o json')}`)
  return `${lines.map(printable).join('\n')}\n`
}

type ReadyAgent = Pick<AgentStatus, 'namespace' | 'name' | 'state' | 'reason'> & { readonly token: string | null }

function agentsOf(ready: Ready): readonly ReadyAgent[] {
  return ready.standalone.agents().map(({ namespace, name, state, reason }) => {
    return { namespace, name, token: ready.standalone.tokenOf(agentKeyOf({ namespace, name })), state, reason }
  })
}
