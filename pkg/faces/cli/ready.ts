import { type AgentKey, agentKeyOf } from '#pkg/model'
import { printable } from './escape.ts'

/** What is known once everything listens. */
export type Ready = {
  readonly facade: string
  /** Of the admin API. */
  readonly url: string
  readonly token: string
  readonly standalone: {
    agents(): readonly { readonly namespace: string; readonly name: string }[]
    tokenOf(agent: AgentKey): string | null
  }
}

/** Agents whose lines are printed for a person; a longer list helps nobody. */
const SHOWN_AGENTS = 5

/** The first line of `up -o json`. Programs rely on it. DESIGN §8. */
export function readyLine(ready: Ready): string {
  const { facade, url, token } = ready
  return `${JSON.stringify({ ready: true, facade, admin: url, adminToken: token, agents: tokensOf(ready) })}\n`
}

/** The same for a person, with lines to paste. */
export function readyText(ready: Ready): string {
  const agents = tokensOf(ready)
  const lines = [
    'sallyport is ready',
    `  facade  ${ready.facade}`,
    `  admin   ${ready.url}  (sallyctl finds it by itself)`,
  ]
  if (agents.length === 0)
    lines.push('', 'No agent is known: every request is refused. "--policies DIR" reads Agent files.')
  for (const { namespace, name, token } of agents.slice(0, SHOWN_AGENTS))
    lines.push(
      '',
      `agent ${namespace}/${name}`,
      `  export OPENAI_BASE_URL=${ready.facade}/openai/v1`,
      `  export OPENAI_API_KEY=${token}`,
    )
  if (agents.length > SHOWN_AGENTS) lines.push('', `and ${agents.length - SHOWN_AGENTS} more: sallyctl agents -o json`)
  return `${lines.map(printable).join('\n')}\n`
}

function tokensOf(ready: Ready): readonly { namespace: string; name: string; token: string | null }[] {
  return ready.standalone.agents().map(({ namespace, name }) => {
    return { namespace, name, token: ready.standalone.tokenOf(agentKeyOf({ namespace, name })) }
  })
}
