import type { ErrorCode } from '#pkg/model/errors'
import type { Schema } from './schema.ts'

/** A parameter of the query, or a header. */
export type ParameterDoc = { readonly name: string; readonly what: string; readonly schema: Schema }

/** One answer that is no fault. */
export type AnswerDoc = {
  readonly what: string
  readonly schema: Schema
  /** Default `application/json`. */
  readonly type?: 'application/json' | 'application/x-ndjson' | 'text/event-stream' | 'text/plain'
}

/**
 * What a route promises: the OpenAPI document is made of it. The variable segments of the path, and the faults that every
 * route may have (USAGE, ADMIN_UNAUTHORIZED, ADMIN_METHOD, INTERNAL), are not repeated.
 */
export type RouteDoc = {
  /** In camel case; the name of the operation for generated clients. */
  readonly operation: string
  readonly tag: 'process' | 'agents' | 'verdicts' | 'identity' | 'dashboard'
  readonly summary: string
  readonly details?: string
  readonly query?: readonly ParameterDoc[]
  readonly headers?: readonly ParameterDoc[]
  /** Of a JSON body, which is required then. */
  readonly body?: Schema
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerDoc>>
  /** Codes of its own. */
  readonly faults?: readonly ErrorCode[]
  /** What opens it over TCP. Default `token`. */
  readonly entry?: 'token' | 'proof' | 'none'
}
