import type { ServerResponse } from 'node:http'
import type { VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type ErrorBody, errorBody } from './answers.ts'
import type { RouteDeps } from './call.ts'
import { type FollowQueue, newFollowQueue } from './follow-queue.ts'
import { writeText } from './lines.ts'
import type { VerdictFilter } from './ports.ts'

/** What one follower is given. */
export type Feed = {
  /** Begins to tell of what comes from now on; answers how to stop. */
  listen(queue: FollowQueue): () => void
  /** What was before, oldest first; `id` null = no record. */
  history(): AsyncIterable<{ readonly id: string | null; readonly text: string }>
  /** How the reader is told of an error, as the last thing. */
  error(body: ErrorBody): string
  /** Written each `ms` in which it does not wait already. Absent = nothing is. */
  readonly alive?: { readonly text: string; readonly ms: number }
}

/**
 * The history, then everything that is told, in order, each record once. What comes is listened for before the history
 * is read, so that none falls between; what the history holds too is sent from there.
 * A follower whose queue is full gets what waits, an error OVERLOADED, and the end: never a silent gap.
 * @throws SallyportError OVERLOADED when as many follow as may; nothing is written then.
 */
export async function follow(deps: RouteDeps, feed: Feed, head: Head, response: ServerResponse): Promise<void> {
  const { followers, limits, ending } = deps
  if (followers.size >= limits.maxFollowers)
    throw new SallyportError('OVERLOADED', `${followers.size} readers follow, which is the limit`)
  followers.add(response)
  const queue = newFollowQueue(limits.followQueueBytes)
  const stop = feed.listen(queue)
  const leave = (): void => queue.close()
  response.once('close', leave)
  ending.addEventListener('abort', leave, { once: true })
  if (ending.aborted) leave()
  const quiet = keepAlive(feed, response)
  try {
    response.writeHead(200, head)
    response.flushHeaders()
    for await (const { id, text } of feed.history()) {
      if (id !== null) queue.sent(id)
      if (!(await writeText(response, text))) return
    }
    for (let text = await queue.take(); text !== null; text = await queue.take())
      if (!(await writeText(response, text))) return
    if (queue.overflown) await writeText(response, feed.error(errorBody('OVERLOADED', tooSlow(limits))))
    response.end() // not after a throw: a broken answer must not look whole
  } finally {
    clearInterval(quiet)
    stop()
    response.off('close', leave)
    ending.removeEventListener('abort', leave)
    followers.delete(response)
  }
}

/** Headers of a stream. */
type Head = Readonly<Record<string, string>>

/** A reader that is behind needs no sign of life: bytes wait for it. */
function keepAlive({ alive }: Feed, response: ServerResponse): NodeJS.Timeout | undefined {
  if (alive === undefined) return undefined
  return setInterval(() => {
    if (response.headersSent && !response.writableNeedDrain && !response.writableEnded) response.write(alive.text)
  }, alive.ms).unref()
}

function tooSlow({ followQueueBytes }: RouteDeps['limits']): string {
  return `this reader is more than ${followQueueBytes} bytes behind, which is the limit; ask again to go on after the last record`
}

/** Is it a record that the filter asks for, as far as it says whom and why? */
export function matches(record: VerdictRecord, filter: Pick<VerdictFilter, 'agent' | 'reason'>): boolean {
  if (filter.agent !== undefined && record.agent !== filter.agent) return false
  return filter.reason === undefined || record.reasons.includes(filter.reason)
}
