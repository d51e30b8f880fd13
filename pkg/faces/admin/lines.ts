import type { ServerResponse } from 'node:http'
import type { VerdictRecord } from '#pkg/model'

/** One record as one line. The order of the fields is part of the contract. DESIGN §8. */
export function lineOf(record: VerdictRecord): string {
  const { id, time, agent, session, dialect, direction, tool, action, enforced, reasons } = record
  const { check, policy, rule, us, message, generation, epoch } = record
  const judged = {
    id,
    time,
    agent,
    session,
    dialect,
    direction,
    tool,
    action,
    enforced,
    reasons,
    check,
    policy,
    rule,
    us,
  }
  return `${JSON.stringify({ ...judged, message, generation, epoch })}\n`
}

/** Writes one line; waits while the reader is behind. False once the reader is gone. */
export async function writeLine(response: ServerResponse, line: string): Promise<boolean> {
  if (response.destroyed) return false
  if (response.write(line)) return true
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      response.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    response.once('drain', settle)
    response.once('close', settle)
  })
  return !response.destroyed
}
