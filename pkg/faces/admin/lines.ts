import type { ServerResponse } from 'node:http'
import type { VerdictRecord } from '#pkg/model'

/** A record with its fields in the order that is part of the contract, and no others. DESIGN §8. */
export function inFieldOrder(record: VerdictRecord): VerdictRecord {
  const { id, time, agent, session, dialect, direction, tool, action, enforced, reasons } = record
  const { check, policy, rule, us, message, generation, epoch } = record
  const subject = { id, time, agent, session, dialect, direction, tool }
  const shown = { ...subject, action, enforced, reasons, check, policy, rule, us, message, generation, epoch }
  return record.caller === undefined ? shown : { ...shown, caller: record.caller }
}

/** One record as one line. */
export function lineOf(record: VerdictRecord): string {
  return `${JSON.stringify(inFieldOrder(record))}\n`
}

/** Writes a text; waits while the reader is behind. False once the reader is gone. */
export async function writeText(response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false
  if (response.write(text)) return true
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
