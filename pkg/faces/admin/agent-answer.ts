import { agentKeyOf } from '#pkg/model'
import type { AdminSource, AgentStatus } from './ports.ts'

/** One agent; its token only over the Unix socket. */
export type AgentAnswer = Required<AgentStatus> & { readonly token?: string | null }

/** What is shown of an agent. */
export function agentAnswer(source: AdminSource, status: AgentStatus, trusted: boolean): AgentAnswer {
  const { namespace, name, state, epoch, acks, role, mode, policies, generation, holds } = status
  const { reason = null, releaseThroughEpoch = 0, warnings = [] } = status
  const life = { state, reason, epoch, acks }
  const shown = { namespace, name, ...life, role, mode, policies, generation, holds, releaseThroughEpoch, warnings }
  return trusted ? { ...shown, token: source.tokenOf(agentKeyOf(status)) } : shown
}
