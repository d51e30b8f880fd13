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

/** A record as one server-sent event, with its id. */
export function verdictEvent(record: VerdictRecord): string {
  return eventOf('verdict', inFieldOrder(record), record.id)
}

/** One server-sent event. JSON has no line break of its own, so it is one line of data. WHATWG HTML §9.2. */
export function eventOf(name: string, data: unknown, id?: string): string {
  const head = id === undefined ? '' : `id: ${id}\n`
  return `${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Records as texts for all who follow: each is made once, however many read it. */
export type Texts = {
  readonly line: (record: VerdictRecord) => string
  readonly event: (record: VerdictRecord) => string
}

/** Remembers the last of each. */
export function newTexts(): Texts {
  return { line: rememberingLast(lineOf), event: rememberingLast(verdictEvent) }
}

function rememberingLast(render: (record: VerdictRecord) => string): (record: VerdictRecord) => string {
  let last: VerdictRecord | null = null
  let text = ''
  return (record) => {
    if (record !== last) text = render(record)
    last = record
    return text
  }
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
