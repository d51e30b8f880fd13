import type { ServerResponse } from 'node:http'
import { type ErrorCode, httpStatusOf } from '#pkg/model/errors'

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** Head of a stream of lines, one JSON object each. */
export const LINES_HEADERS = { ...HEADERS, 'content-type': 'application/x-ndjson; charset=utf-8' } as const

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

/** The one shape of every error: `{"error":{"code","message"}}`. */
export function errorBody(code: ErrorCode, message: string): { readonly error: { code: ErrorCode; message: string } } {
  return { error: { code, message } }
}

/** An error answer with the status of its code. */
export function sendError(
  response: ServerResponse,
  code: ErrorCode,
  message: string,
  more: Record<string, string> = {},
): void {
  sendJson(response, httpStatusOf(code), errorBody(code, message), more)
}
