import type { ServerResponse } from 'node:http'
import type { VerdictRecord } from '#pkg/model'
import { errorBody } from './answers.ts'
import { lineOf, writeLine } from './lines.ts'
import type { AdminSource, VerdictFilter } from './ports.ts'

/** What a follower is given, and where it stops. */
export type FollowDeps = {
  readonly verdicts: AdminSource['verdicts']
  /** Bytes of lines that may wait for one follower. */
  readonly queueBytes: number
  /** Aborts when the process drains: what waits is still sent, then the stream ends. */
  readonly ending: AbortSignal
}

/** Ids of history that are remembered, for a record that is told again right after it was read. */
const REMEMBERED = 1_024

/**
 * The history, then everything that is written, in order, each record once. The live ones are listened for before the
 * history is read, so that none falls between; those that the history holds too are sent from there.
 * A follower whose queue is full gets what waits, one line `{"error":…OVERLOADED}`, and the end: never a silent gap.
 */
export async function follow(deps: FollowDeps, filter: VerdictFilter, response: ServerResponse): Promise<void> {
  const queue = newQueue(deps.queueBytes, filter)
  const stop = deps.verdicts.follow(queue.offer)
  const leave = (): void => queue.close()
  response.once('close', leave)
  deps.ending.addEventListener('abort', leave, { once: true })
  if (deps.ending.aborted) leave()
  try {
    for await (const record of deps.verdicts.read(filter)) {
      queue.sent(record.id)
      if (!(await writeLine(response, lineOf(record)))) return
    }
    for (let line = await queue.take(); line !== null; line = await queue.take())
      if (!(await writeLine(response, line))) return
    if (queue.overflown) await writeLine(response, `${JSON.stringify(errorBody('OVERLOADED', tooSlow(deps)))}\n`)
  } finally {
    stop()
    response.off('close', leave)
    deps.ending.removeEventListener('abort', leave)
    response.end()
  }
}

function tooSlow(deps: FollowDeps): string {
  return `this reader is more than ${deps.queueBytes} bytes behind, which is the limit; ask again with "since" to go on`
}

type Queue = {
  readonly offer: (record: VerdictRecord) => void
  /** It was sent from the history. */
  sent(id: string): void
  /** The next line; null once nothing will come any more. */
  take(): Promise<string | null>
  close(): void
  readonly overflown: boolean
}

function newQueue(maxBytes: number, filter: VerdictFilter): Queue {
  const waiting = new Map<string, string>()
  const remembered = new Set<string>()
  let bytes = 0
  let closed = false
  let overflown = false
  let wake = (): void => {}

  const remove = (id: string): string | null => {
    const line = waiting.get(id)
    if (line === undefined) return null
    waiting.delete(id)
    bytes -= line.length
    return line
  }
  const close = (): void => {
    closed = true
    wake()
  }
  return {
    offer: (record) => {
      if (closed || remembered.has(record.id) || !matches(record, filter)) return
      const line = lineOf(record)
      if (bytes + line.length > maxBytes) {
        overflown = true
        return close()
      }
      waiting.set(record.id, line)
      bytes += line.length
      wake()
    },
    sent: (id) => {
      if (remove(id) !== null) return
      remembered.add(id)
      if (remembered.size > REMEMBERED) for (const oldest of remembered.values()) return void remembered.delete(oldest)
    },
    take: async () => {
      if (waiting.size === 0 && !closed)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      for (const id of waiting.keys()) return remove(id)
      return null
    },
    close,
    get overflown() {
      return overflown
    },
  }
}

function matches(record: VerdictRecord, filter: VerdictFilter): boolean {
  if (filter.agent !== undefined && record.agent !== filter.agent) return false
  return filter.reason === undefined || record.reasons.includes(filter.reason)
}
