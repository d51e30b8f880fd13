import type { ServerResponse } from 'node:http'
import { type ErrorCode, httpStatusOf } from '#pkg/model/errors'

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** Head of a stream of lines, one JSON object each. */
export const LINES_HEADERS = { ...HEADERS, 'content-type': 'application/x-ndjson; charset=utf-8' } as const

/** Head of a stream of events. */
export const EVENTS_HEADERS = { ...HEADERS, 'content-type': 'text/event-stream' } as const

/** A whole JSON answer. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  more: Record<string, string> = {},
): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  response.writeHead(status, {
    ...HEADERS,
    ...more,
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  })
  response.end(body)
}

/** A whole answer in plain text. */
export function sendText(response: ServerResponse, text: string, contentType: string): void {
  const body = Buffer.from(text)
  response.writeHead(200, { ...HEADERS, 'content-type': contentType, 'content-length': body.length })
  response.end(body)
}

/** The one shape of every error. `nearest` is the name that was most likely meant, where one was not found. */
export type ErrorBody = {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly nearest?: string }
}

/** An error of that shape. */
export function errorBody(code: ErrorCode, message: string, nearest?: string): ErrorBody {
  return { error: { code, message, ...(nearest === undefined ? {} : { nearest }) } }
}

/** An error answer with the status of its code. */
export function sendError(response: ServerResponse, body: ErrorBody, more: Record<string, string> = {}): void {
  sendJson(response, httpStatusOf(body.error.code), body, more)
}
