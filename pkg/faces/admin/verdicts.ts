import type { ServerResponse } from 'node:http'
import { SallyportError } from '#pkg/model/errors'
import { LINES_HEADERS, sendJson } from './answers.ts'
import type { Call, Route, RouteDeps } from './call.ts'
import { type Feed, follow, matches } from './follow.ts'
import { lineOf, writeText } from './lines.ts'
import type { VerdictFilter } from './ports.ts'
import { readQuery, readVerdictQuery } from './query.ts'
import { FOLLOW, LIMIT, SINCE, SUBJECT } from './query-doc.ts'
import { BOOLEAN, refTo } from './schema.ts'

/** The verdicts, history and live. */
export const VERDICT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/verdicts',
    answer: verdicts,
    doc: {
      operation: 'listVerdicts',
      tag: 'verdicts',
      summary: 'Verdicts, oldest first, one JSON object a line.',
      details:
        'With `follow` it goes on with what comes, each record once and in order. A reader that is too far behind gets what waits, one line with the error OVERLOADED, and the end.',
      query: [...SUBJECT, SINCE, LIMIT, { ...FOLLOW, schema: { ...BOOLEAN, default: false } }],
      answers: {
        200: {
          what: 'Each line.',
          type: 'application/x-ndjson',
          schema: refTo('VerdictLine'),
        },
      },
      faults: ['OVERLOADED'],
    },
  },
  {
    method: 'GET',
    path: '/v1/verdicts/{id}',
    answer: verdict,
    doc: {
      operation: 'getVerdict',
      tag: 'verdicts',
      summary: 'One verdict.',
      answers: { 200: { what: 'The record.', schema: refTo('Verdict') } },
    },
  },
]

async function verdicts({ deps, response, query }: Call): Promise<void> {
  const asked = readVerdictQuery(query, deps.clock.nowMs())
  if (asked.follow) return await followLines(deps, asked.filter, response)
  response.writeHead(200, LINES_HEADERS)
  for await (const record of deps.source.verdicts.read(asked.filter))
    if (!(await writeText(response, lineOf(record)))) return
  response.end()
}

async function followLines(deps: RouteDeps, filter: VerdictFilter, response: ServerResponse): Promise<void> {
  const { verdicts: log } = deps.source
  const history = async function* () {
    for await (const record of log.read(filter)) yield { id: record.id, text: lineOf(record) }
  }
  const feed: Feed = {
    listen: (queue) =>
      log.follow((record) => {
        if (matches(record, filter)) queue.offer(record.id, deps.texts.line(record))
      }),
    history,
    error: (body) => `${JSON.stringify(body)}\n`,
  }
  await follow(deps, feed, LINES_HEADERS, response)
}

async function verdict({ deps, response, query, parts }: Call): Promise<void> {
  readQuery(query, [])
  const [id = ''] = parts
  const record = await deps.source.verdicts.find(id)
  if (record === null) throw new SallyportError('ADMIN_NOT_FOUND', `no verdict "${id}" is known`)
  sendJson(response, 200, JSON.parse(lineOf(record)))
}
