import { errorIn, faultText, readAnswer } from './api.ts'
import { newSseParser, type ServerEvent } from './sse.ts'

/** What the stream is given by the page. */
export type StreamDeps = {
  readonly fetch: typeof globalThis.fetch
  readonly token: string
  /** 0 to 1: spreads the waits of many pages. */
  readonly random: () => number
}

/** What the stream tells. */
export type StreamListener = {
  /** The answer has begun. */
  opened(): void
  event(event: ServerEvent): void
  /** It ended, or did not begin, and is asked for again after that many ms. `fault` = what the process said, or null. */
  lost(waitMs: number, fault: string | null): void
  /** The token opens nothing any more: the stream is over. */
  refused(): void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000

/** From this event id on the stream goes on; the history is bounded by the limit of the address. */
const LAST_EVENT_ID = 'last-event-id'

/**
 * Follows a stream of events until it is stopped. By `fetch`, since an EventSource cannot send the token; where it breaks
 * off it is asked for again from the last id on, after a wait that doubles from 250 ms to 10 s. After a `reset`, with which
 * the process says that it does not know this id, it is asked for anew, with its history. Answers how to stop.
 */
export function followStream(deps: StreamDeps, path: string, listener: StreamListener): () => void {
  const stopping = new AbortController()
  void follow(deps, path, listener, stopping.signal)
  return () => stopping.abort()
}

async function follow(deps: StreamDeps, path: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  let lastId = ''
  let waitMs = FIRST_WAIT_MS
  while (!signal.aborted) {
    const answer = await ask(deps, path, lastId, signal)
    if (answer?.status === 401) return listener.refused()
    let fault: string | null = null
    if (answer?.ok === false) fault = await readAnswer(answer).then(() => null, faultText)
    if (answer?.ok === true && answer.body !== null) {
      listener.opened()
      await readEvents(answer.body, (event) => {
        const isReset = event.event === 'reset'
        waitMs = FIRST_WAIT_MS
        lastId = isReset ? '' : event.id
        if (event.event === 'error') fault = errorOf(event.data)
        listener.event(event)
        return !isReset
      })
    }
    if (signal.aborted) return
    const thisMs = Math.round(waitMs * (0.5 + deps.random() / 2))
    listener.lost(thisMs, fault)
    await sleep(thisMs, signal)
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
  }
}

/** The answer, or null where nobody answers. */
async function ask(deps: StreamDeps, path: string, lastId: string, signal: AbortSignal): Promise<Response | null> {
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${deps.token}`,
    ...(lastId === '' ? {} : { [LAST_EVENT_ID]: lastId }),
  }
  try {
    return await deps.fetch(path, { headers, signal, cache: 'no-store' })
  } catch {
    return null // no connection: it is tried again
  }
}

/** `take` answers whether the stream goes on. */
async function readEvents(body: ReadableStream<Uint8Array>, take: (event: ServerEvent) => boolean): Promise<void> {
  const parser = newSseParser()
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const event of parser.push(decoder.decode(value, { stream: true })))
        if (!take(event)) return await reader.cancel()
    }
  } catch {
    await reader.cancel().catch(() => {}) // cut off, or broken: it is asked for again from the last id on
  }
}

/** What an event of that name says. */
function errorOf(data: string): string {
  try {
    return faultText(errorIn(JSON.parse(data), 200))
  } catch {
    return data
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
