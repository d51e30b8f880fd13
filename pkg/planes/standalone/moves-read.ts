import type { AgentKey, MoveEvent } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import { lastAuditEvents } from '#pkg/systems/audit'

/** The newest moves of an agent that are on record, oldest first; of one that has left the folder, too. */
export function newMovesReader(
  { log }: { readonly log: Log },
  dataDir: string,
): (agent: AgentKey, limit: number) => Promise<readonly MoveEvent[]> {
  return async (agent, count) => {
    const events = await lastAuditEvents(dataDir, {
      count,
      hints: ['move', agent],
      wanted: (event) => event.kind === 'move' && event.agent === agent,
      log,
    })
    return events.flatMap((event) => (event.kind === 'move' ? [event] : []))
  }
}
