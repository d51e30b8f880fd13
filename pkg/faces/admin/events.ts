import { type AgentKey, agentRefOf } from '#pkg/model'
import { agentAnswer } from './agents.ts'
import { EVENTS_HEADERS } from './answers.ts'
import type { Call, Route, RouteDeps } from './call.ts'
import { type Feed, follow, matches } from './follow.ts'
import { eventOf, verdictEvent } from './lines.ts'
import { type EventsQuery, readEventsQuery } from './query.ts'
import { FOLLOW, LIMIT, SUBJECT } from './query-doc.ts'
import { BOOLEAN, refTo, TEXT } from './schema.ts'

/** Why a stream does not go on where the reader left it. */
export type ResetReason = 'LAST_EVENT_UNKNOWN'

/** What is happening, for a reader that stays. */
export const EVENT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/events',
    answer: events,
    doc: {
      operation: 'followEvents',
      tag: 'verdicts',
      summary: 'Verdicts and changes of agents as they come, as server-sent events.',
      details: [
        '`verdict`: a Verdict, with its id as the id of the event. `agent`: an Agent without its token, after each change of its life or its rules; changes that wait are told as one. `agent-gone`: namespace and name of one that has left the folder.',
        '`reset`: the id that was asked for is not known any more, and what came since is not told. `error`: an Error, as the last event: the reader was too far behind. A comment each 15 s shows that the stream lives.',
      ].join('\n\n'),
      query: [
        ...SUBJECT,
        {
          ...LIMIT,
          what: 'Of the history, the newest that many first.',
          schema: { ...LIMIT.schema, minimum: 0, default: 0 },
        },
        { ...FOLLOW, schema: { ...BOOLEAN, default: true } },
      ],
      headers: [
        {
          name: 'Last-Event-ID',
          what: 'Go on after this verdict, each record once and in order; `limit` does not count then.',
          schema: TEXT,
        },
      ],
      answers: { 200: { what: 'Each event.', type: 'text/event-stream', schema: refTo('Event') } },
      faults: ['OVERLOADED'],
    },
  },
]

/**
 * Server-sent events: `verdict` with the record and its id, `agent` with the agent after each change, `agent-gone` with
 * its name. WHATWG HTML §9.2.
 */
async function events({ deps, request, response, query }: Call): Promise<void> {
  const asked = readEventsQuery(query)
  const last = request.headers['last-event-id']
  const given = typeof last === 'string' && last !== '' ? last : null
  await follow(deps, feedOf(deps, asked, given), EVENTS_HEADERS, response)
}

function feedOf(deps: RouteDeps, { filter, limit, follow: goesOn }: EventsQuery, last: string | null): Feed {
  const { source, limits, texts } = deps
  return {
    listen: (queue) => {
      if (!goesOn) {
        queue.close()
        return () => {}
      }
      const stops = [
        source.verdicts.follow((record) => {
          if (matches(record, filter)) queue.offer(record.id, texts.event(record))
        }),
        source.onAgentChange((agent) => {
          if (filter.agent === undefined || filter.agent === agent)
            queue.note(`agent ${agent}`, () => agentEvent(deps, agent))
        }),
      ]
      return () => {
        for (const stop of stops) stop()
      }
    },
    history: async function* () {
      if (last !== null && (await source.verdicts.find(last)) === null) yield { id: null, text: RESET }
      else if (last !== null || limit > 0) {
        const from = last === null ? { limit } : { after: last }
        for await (const record of source.verdicts.read({ ...filter, ...from }))
          yield { id: record.id, text: verdictEvent(record) }
      }
    },
    error: (body) => eventOf('error', body),
    alive: { text: ': keepalive\n\n', ms: limits.keepaliveMs },
  }
}

/** As it is now: changes that waited together are told as one. */
function agentEvent({ source }: RouteDeps, agent: AgentKey): string {
  const status = source.agent(agent)
  return status === null
    ? eventOf('agent-gone', agentRefOf(agent))
    : eventOf('agent', agentAnswer(source, status, false))
}

const RESET = eventOf('reset', { reason: 'LAST_EVENT_UNKNOWN' satisfies ResetReason })
