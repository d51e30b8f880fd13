import { SallyportError } from '#pkg/model/errors'
import { sendJson } from './answers.ts'
import type { Call, Route } from './call.ts'
import type { PolicyFault } from './ports.ts'
import { readQuery } from './query.ts'
import { refTo } from './schema.ts'
import { summary } from './summary.ts'

/** `GET /healthz`; 503 when not ok. `policyFaults` are those of the newest reading of the folder. */
export type HealthAnswer = {
  readonly ok: boolean
  readonly reasons: readonly string[]
  readonly policyFaults: readonly PolicyFault[]
}

/** `GET /v1/version`. */
export type VersionAnswer = { readonly version: string; readonly api: 'v1' }

/** `GET /v1/facade`: where agents of this process are served. */
export type FacadeAnswer = { readonly facade: string }

/** The process and how it is. */
export const PROCESS_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/healthz',
    answer: health,
    doc: {
      operation: 'getHealth',
      tag: 'process',
      summary: 'Is all well?',
      details: 'Faults of policies are those of the newest reading of the folder; its last good version holds.',
      answers: {
        200: { what: 'All is well.', schema: refTo('Health') },
        503: { what: 'Not all is well; the reasons say what.', schema: refTo('Health') },
      },
    },
  },
  {
    method: 'GET',
    path: '/v1/version',
    answer: version,
    doc: {
      operation: 'getVersion',
      tag: 'process',
      summary: 'Which version this is.',
      answers: { 200: { what: 'Version of the program and of this API.', schema: refTo('Version') } },
    },
  },
  {
    method: 'GET',
    path: '/v1/facade',
    answer: facade,
    doc: {
      operation: 'getFacade',
      tag: 'process',
      summary: 'Where agents are served.',
      answers: { 200: { what: 'The base URL.', schema: refTo('Facade') } },
      faults: ['ADMIN_NOT_FOUND'],
    },
  },
  {
    method: 'GET',
    path: '/v1/summary',
    answer: summary,
    doc: {
      operation: 'getSummary',
      tag: 'process',
      summary: 'Everything at a glance.',
      details: 'Verdicts are those since the start of this process; one that no check decided is in no check.',
      answers: { 200: { what: 'Counts and health.', schema: refTo('Summary') } },
    },
  },
]

function health({ deps, response, query }: Call): void {
  readQuery(query, [])
  const { ok, reasons } = deps.source.healthy()
  const answer: HealthAnswer = { ok, reasons, policyFaults: deps.source.policyFaults() }
  sendJson(response, ok ? 200 : 503, answer)
}

function version({ deps, response, query }: Call): void {
  readQuery(query, [])
  const answer: VersionAnswer = { version: deps.version, api: 'v1' }
  sendJson(response, 200, answer)
}

function facade({ deps, response, query }: Call): void {
  readQuery(query, [])
  const { facade: url } = deps.source
  if (url === undefined) throw new SallyportError('ADMIN_NOT_FOUND', 'this process serves no agents')
  const answer: FacadeAnswer = { facade: url }
  sendJson(response, 200, answer)
}
