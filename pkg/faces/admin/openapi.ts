import { type ErrorCode, httpStatusOf } from '#pkg/model/errors'
import type { Route } from './call.ts'
import type { AnswerDoc, ParameterDoc, RouteDoc } from './route-doc.ts'
import { DNS_LABEL, oneOf, refTo, type Schema, TEXT } from './schema.ts'
import { SCHEMAS } from './schemas.ts'

/** An OpenAPI 3.1 document. */
export type OpenApi = {
  readonly openapi: '3.1.0'
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, unknown>>
    readonly securitySchemes: object
  }
} & Readonly<Record<string, unknown>>

/** What every route may answer besides. */
const FAULTS: readonly ErrorCode[] = ['USAGE', 'ADMIN_UNAUTHORIZED', 'ADMIN_METHOD', 'INTERNAL']

const SEGMENTS: Readonly<Record<string, ParameterDoc>> = {
  namespace: { name: 'namespace', what: 'Namespace of the agent.', schema: DNS_LABEL },
  name: { name: 'name', what: 'Name of the agent.', schema: DNS_LABEL },
  id: { name: 'id', what: 'Id of the verdict.', schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,128}$' } },
}

const INFO = {
  title: 'Sallyport admin API',
  version: 'v1',
  description:
    'The API of one process, for people and programs that run it. Over TCP it listens on 127.0.0.1 and wants the token that `sallyctl up` prints; over the Unix socket in the data folder it wants none. An unknown or repeated parameter and an unknown field are faults.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

const SECURITY_SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'The adminToken that "sallyctl up -o json" prints.' },
  proof: { type: 'apiKey', in: 'header', name: 'x-sallyport-proof', description: 'A proof for this very request.' },
  svid: {
    type: 'apiKey',
    in: 'header',
    name: 'x-sallyport-svid',
    description: 'The JWT-SVID that the proof is bound to.',
  },
}

const SECURITY_OF = { token: [{ token: [] }], proof: [{ proof: [], svid: [] }], none: [] } as const

const TAGS: readonly { readonly name: RouteDoc['tag']; readonly description: string }[] = [
  { name: 'process', description: 'The process and how it is.' },
  { name: 'agents', description: 'Agents, their rules and their lives.' },
  { name: 'verdicts', description: 'What was judged, and what would be.' },
  { name: 'identity', description: 'Identities, the trust bundle and the keys of the CA.' },
  { name: 'dashboard', description: 'How a browser gets in.' },
]

/** The document of a table of routes. Pure. */
export function openApiOf(routes: readonly Route[]): OpenApi {
  const paths: Record<string, Record<string, unknown>> = {}
  const responses: Record<string, unknown> = {}
  for (const { method, path, doc } of routes) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(path, doc) }
    for (const codes of faultsOf(path, doc).values()) responses[codes.join('.')] = faultOf(codes)
  }
  return {
    openapi: '3.1.0',
    info: INFO,
    servers: [{ url: 'http://127.0.0.1:17446', description: '--admin-port of sallyctl up' }],
    tags: TAGS,
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, responses, schemas: SCHEMAS },
  }
}

function operationOf(path: string, doc: RouteDoc): Readonly<Record<string, unknown>> {
  const segments = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => segmentOf(name))
  const parameters = [
    ...segments.map((each) => ({ ...parameterOf(each, 'path'), required: true })),
    ...(doc.query ?? []).map((each) => parameterOf(each, 'query')),
    ...(doc.headers ?? []).map((each) => parameterOf(each, 'header')),
  ]
  return {
    operationId: doc.operation,
    tags: [doc.tag],
    summary: doc.summary,
    ...(doc.details === undefined ? {} : { description: doc.details }),
    ...(doc.entry === undefined ? {} : { security: SECURITY_OF[doc.entry] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(doc.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: doc.body } } } }),
    responses: responsesOf(path, doc),
  }
}

function segmentOf(name: string): ParameterDoc {
  return SEGMENTS[name] ?? { name, what: '', schema: TEXT }
}

function parameterOf({ name, what, schema }: ParameterDoc, place: 'path' | 'query' | 'header') {
  return { name, in: place, description: what, schema }
}

function responsesOf(path: string, doc: RouteDoc): Readonly<Record<string, unknown>> {
  const responses: Record<string, unknown> = {}
  for (const [status, answer] of Object.entries(doc.answers)) responses[status] = responseOf(answer)
  for (const [status, codes] of faultsOf(path, doc))
    responses[status] = { $ref: `#/components/responses/${codes.join('.')}` }
  return responses
}

/** The codes that a route may say, by their status. */
function faultsOf(path: string, doc: RouteDoc): ReadonlyMap<number, readonly ErrorCode[]> {
  const named: readonly ErrorCode[] = path.includes('{') ? ['ADMIN_NOT_FOUND'] : []
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set([...FAULTS, ...named, ...(doc.faults ?? [])]))
    byStatus.set(httpStatusOf(code), [...(byStatus.get(httpStatusOf(code)) ?? []), code])
  return byStatus
}

function responseOf({ what, schema, type = 'application/json' }: AnswerDoc) {
  return { description: what, content: { [type]: { schema } } }
}

/** The one shape of every fault, with the codes that this status can have here. */
function faultOf(codes: readonly ErrorCode[]) {
  const code = { type: 'object', properties: { error: { type: 'object', properties: { code: oneOf(codes) } } } }
  return {
    description: codes.join(' or '),
    content: { 'application/json': { schema: { allOf: [refTo('Error'), code] } } },
  }
}
