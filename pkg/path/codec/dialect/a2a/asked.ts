import type { RequestView } from '#pkg/model'
import type { Id } from '#pkg/path/codec/wire/jsonrpc'
import type { Operation, Version } from './methods.ts'

/** What an answer is read by, and refusals are said by. */
export type A2aRequest = {
  readonly binding: 'jsonrpc' | 'http'
  readonly version: Version
  /** null = a method that no version has; it is never sent. */
  readonly operation: Operation | null
  readonly id: Id | null
  /** The peer's address as the client sees it. */
  readonly address: string
  /** What the answer has told so far: once there is a task, a refusal is a status of it. */
  readonly live: { task: string | null; context: string | null }
}

/** What was read of a request. */
export function requestOf(view: RequestView): A2aRequest {
  return view.own as A2aRequest // put there by readRequest, and nowhere else
}
