import type { ServerResponse } from 'node:http'
import { type AgentKey, isReason, type VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { agentAnswer } from './agent-answer.ts'
import { errorBody } from './answers.ts'
import type { Call } from './call.ts'
import { inFieldOrder, writeLine } from './lines.ts'
import type { VerdictFilter } from './ports.ts'
import { readAgent, readQuery } from './query.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const
const DEFAULT_HISTORY = 200
const MAX_HISTORY = 10_000
const AGENTS_EVERY_MS = 250
const PING_EVERY_MS = 15_000

type Asked = { readonly agent: AgentKey | null; readonly reason: string | null; readonly limit: number }

/** `GET /v1/events`: server-sent events of verdicts (history first) and of agents that have changed. */
export async function events({ deps, request, response, query }: Call): Promise<void> {
  const asked = readEventsQuery(query)
  if (deps.followers.size >= deps.limits.maxFollowers)
    throw new SallyportError('OVERLOADED', `${deps.followers.size} readers follow the events, which is the limit`)
  const { source, limits, ending } = deps
  const queue = newQueue(limits.followQueueBytes)
  const matches = matcher(asked)
  const stop = source.verdicts.follow((record) => {
    if (matches(record)) queue.offer(verdictEvent(record), record.id)
  })
  const told = new Map(source.agents().map((status) => [nameOf(status), JSON.stringify(status)]))
  const look = setInterval(() => {
    for (const status of source.agents()) {
      const text = JSON.stringify(status)
      if (told.get(nameOf(status)) === text) continue
      told.set(nameOf(status), text)
      if (asked.agent === null || asked.agent === nameOf(status))
        queue.offer(eventOf('agent', agentAnswer(source, status, false)))
    }
  }, AGENTS_EVERY_MS)
  const ping = setInterval(() => queue.offer(': ping\n\n'), PING_EVERY_MS)
  deps.followers.add(response)
  response.once('close', queue.close)
  ending.addEventListener('abort', queue.close, { once: true })
  try {
    response.writeHead(200, HEADERS)
    response.write(': events\n\n')
    for await (const record of history(source.verdicts, asked, lastId(request.headers['last-event-id']), response)) {
      queue.sent(record.id)
      if (!(await writeLine(response, verdictEvent(record)))) return
    }
    for (let event = await queue.take(); event !== null; event = await queue.take())
      if (!(await writeLine(response, event))) return
    if (queue.overflown) await writeLine(response, eventOf('error', errorBody('OVERLOADED', 'this reader is too slow')))
  } finally {
    clearInterval(look)
    clearInterval(ping)
    stop()
    deps.followers.delete(response)
    ending.removeEventListener('abort', queue.close)
    response.end()
  }
}

/** What comes before the live ones: all after the last that the reader had, or, where that is not known, the newest. */
async function* history(
  verdicts: Call['deps']['source']['verdicts'],
  asked: Asked,
  last: string | null,
  response: ServerResponse,
): AsyncGenerator<VerdictRecord> {
  const matches = matcher(asked)
  const known = last === null ? null : await verdicts.find(last)
  if (known !== null) {
    let passed = false
    for await (const record of verdicts.read({ sinceMs: Date.parse(known.time) })) {
      if (passed && matches(record)) yield record
      if (record.id === known.id) passed = true
    }
    if (passed) return
  }
  if (last !== null) response.write(eventOf('reset', {}))
  const filter: VerdictFilter = {
    limit: asked.limit,
    ...(asked.agent === null ? {} : { agent: asked.agent }),
    ...(asked.reason !== null && isReason(asked.reason) ? { reason: asked.reason } : {}),
  }
  yield* verdicts.read(filter)
}

function matcher({ agent, reason }: Asked): (record: VerdictRecord) => boolean {
  return (record) =>
    (agent === null || record.agent === agent) && (reason === null || record.reasons.some((each) => each === reason))
}

function readEventsQuery(query: string): Asked {
  const given = readQuery(query, ['agent', 'reason', 'limit'])
  const agent = given.get('agent')
  const reason = given.get('reason') ?? null
  const limit = Number(given.get('limit') ?? DEFAULT_HISTORY)
  if (reason !== null && !isReason(reason)) throw new SallyportError('USAGE', 'reason must be a reason code')
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_HISTORY)
    throw new SallyportError('USAGE', `limit must be a whole number from 1 to ${MAX_HISTORY}`)
  return { agent: agent === undefined ? null : readAgent(agent), reason, limit }
}

function lastId(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(header) ? header : null
}

function nameOf(status: { readonly namespace: string; readonly name: string }): string {
  return `${status.namespace}/${status.name}`
}

function verdictEvent(record: VerdictRecord): string {
  return `id: ${record.id}\n${eventOf('verdict', inFieldOrder(record))}`
}

function eventOf(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Events that wait for one reader. Those that the history held already are left out. */
function newQueue(maxBytes: number) {
  const waiting: { readonly text: string; readonly id: string | null }[] = []
  const sent = new Set<string>()
  let bytes = 0
  let closed = false
  let overflown = false
  let wake = (): void => {}
  const close = (): void => {
    closed = true
    wake()
  }
  return {
    close,
    offer: (text: string, id: string | null = null): void => {
      if (closed) return
      overflown = bytes + text.length > maxBytes
      if (overflown) return close()
      bytes += text.length
      waiting.push({ text, id })
      wake()
    },
    sent: (id: string): void => void sent.add(id),
    take: async (): Promise<string | null> => {
      for (;;) {
        const next = waiting.shift()
        if (next !== undefined) {
          bytes -= next.text.length
          if (next.id === null || !sent.delete(next.id)) return next.text
          continue
        }
        if (closed) return null
        sent.clear() // what the history held and is still to come live would be here by now
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    get overflown() {
      return overflown
    },
  }
}
