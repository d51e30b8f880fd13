/** What waits for one follower. Records are bounded by their characters, changes by being kept once for each key. */
export type FollowQueue = {
  /** A record, sent once: not again if it was {@link FollowQueue.sent} from the history. */
  offer(id: string, text: string): void
  /** Something has changed: `text` is asked for when its turn comes, so that changes that wait are told as one. */
  note(key: string, text: () => string): void
  /** A record was sent from the history. */
  sent(id: string): void
  /** The next text; null once nothing will come any more. */
  take(): Promise<string | null>
  close(): void
  /** True once there was no room for a record: the queue is closed then. */
  readonly overflown: boolean
}

/** Ids of history that are remembered, for a record that is told again right after it was read. */
const REMEMBERED = 1_024

/** Makes the queue of one follower, of at most `maxChars` of records. */
export function newFollowQueue(maxChars: number): FollowQueue {
  const waiting = new Map<string, string | (() => string)>()
  const remembered = new Set<string>()
  let chars = 0
  let closed = false
  let overflown = false
  let wake = (): void => {}

  const remove = (key: string): string | null => {
    const held = waiting.get(key)
    if (held === undefined) return null
    waiting.delete(key)
    if (typeof held !== 'string') return held()
    chars -= held.length
    return held
  }
  const put = (key: string, held: string | (() => string)): void => {
    waiting.set(key, held)
    wake()
  }
  const close = (): void => {
    closed = true
    wake()
  }
  return {
    offer: (id, text) => {
      if (closed || remembered.has(id)) return
      if (chars + text.length > maxChars) {
        overflown = true
        return close()
      }
      chars += text.length
      put(id, text)
    },
    note: (key, text) => {
      if (!closed) put(key, text)
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
      for (const key of waiting.keys()) return remove(key)
      return null
    },
    close,
    get overflown() {
      return overflown
    },
  }
}
