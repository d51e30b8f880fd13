import type { Voice } from '#pkg/model'
import { codeOf, errorOf, faultOf, marksOf } from '#pkg/path/codec/wire/jsonrpc'
import type { A2aRequest } from './asked.ts'

const encoder = new TextEncoder()

/** Who is answered, as far as it tells how. */
export type Answered = Pick<A2aRequest, 'binding' | 'version' | 'id' | 'live'>

/** Somebody of whom only the path was read. */
export function unread(binding: Answered['binding'], version: Answered['version']): Answered {
  return { binding, version, id: null, live: { task: null, context: null } }
}

/** Bytes of a JSON value. */
export const jsonOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))

/** An event of a stream. */
export const eventOf = (value: unknown, name?: string): Uint8Array =>
  encoder.encode(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`)

/** A refusal as the error of a binding. */
export function refusalOf({ binding, version, id }: Answered, text: string): unknown {
  if (binding === 'jsonrpc') return errorOf(id, text)
  const { reason, verdict } = marksOf(text)
  if (version === '0.3')
    return { type: 'UnsupportedOperationError', code: codeOf(reason), message: text, data: { reason, verdict } }
  const info = { reason, domain: DOMAIN, metadata: { verdict: verdict ?? '' } }
  return statusOf({ code: 403, status: 'PERMISSION_DENIED', message: text }, [KNOWN, info])
}

const DOMAIN = 'sallyport.dev'

/** SDKs tell the message only of an error whose first reason they know; this is the nearest. */
const KNOWN = { reason: 'UNSUPPORTED_OPERATION', domain: 'a2a-protocol.org', metadata: {} }

function statusOf(status: object, infos: readonly object[]): unknown {
  const details = infos.map((one) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', ...one }))
  return { error: { ...status, details } }
}

function failureOf({ binding, version, id }: Answered, code: string, message: string): unknown {
  if (binding === 'jsonrpc') return faultOf(id, code, message)
  if (version === '0.3') return { code: -32603, message, data: { reason: code } }
  return statusOf({ code: 500, status: 'INTERNAL', message }, [{ reason: code, domain: DOMAIN, metadata: {} }])
}

/** A refusal as the message of an agent that rejects a task. */
function wordOf({ binding, version, live }: Answered, text: string): unknown {
  const { verdict } = marksOf(text)
  const common = { messageId: `sallyport-${verdict ?? 'refusal'}`, ...idsOf(live) }
  if (version === '1.0') return { ...common, role: 'ROLE_AGENT', parts: [{ text }] }
  if (binding === 'http') return { ...common, role: 'ROLE_AGENT', content: [{ text }] }
  return { kind: 'message', ...common, role: 'agent', parts: [{ kind: 'text', text }] }
}

const idsOf = ({ task, context }: A2aRequest['live']): object => ({
  ...(task === null ? {} : { taskId: task }),
  ...(context === null ? {} : { contextId: context }),
})

const metadataOf = (text: string): object => {
  const { reason, verdict } = marksOf(text)
  return { 'dev.sallyport/reason': reason, 'dev.sallyport/verdict': verdict }
}

const rejectedBy = (answered: Answered, text: string): object => ({
  state: answered.version === '0.3' && answered.binding === 'jsonrpc' ? 'rejected' : 'TASK_STATE_REJECTED',
  message: wordOf(answered, text),
})

/** A task that is rejected, in the place of one that was refused; bare, or as what an answer to a message wraps it in. */
export function rejectedTask(answered: Answered, text: string, wrapped: boolean): unknown {
  const { live, version, binding } = answered
  const task = {
    ...(version === '0.3' && binding === 'jsonrpc' ? { kind: 'task' } : {}),
    id: live.task ?? '',
    contextId: live.context ?? '',
    status: rejectedBy(answered, text),
    metadata: metadataOf(text),
  }
  return wrapped && !(version === '0.3' && binding === 'jsonrpc') ? { task } : task
}

/** A status update that rejects the task of a stream. */
export function rejectedUpdate(answered: Answered, text: string): unknown {
  const { live, version, binding } = answered
  const native = version === '0.3' && binding === 'jsonrpc'
  const update = {
    ...(native ? { kind: 'status-update' } : {}),
    taskId: live.task ?? '',
    contextId: live.context ?? '',
    status: rejectedBy(answered, text),
    ...(version === '0.3' ? { final: true } : {}),
    metadata: metadataOf(text),
  }
  return native ? update : { statusUpdate: update }
}

/** A result in the envelope of its binding. */
export function resultOf({ binding, id }: Answered, result: unknown): unknown {
  return binding === 'jsonrpc' ? { jsonrpc: '2.0', id, result } : result
}

/** A refusal inside a stream: a status of the task once there is one, else an error. */
export function refusedEvent(answered: Answered, text: string): Uint8Array {
  if (answered.live.task !== null) return eventOf(resultOf(answered, rejectedUpdate(answered, text)))
  return errorEvent(answered, refusalOf(answered, text))
}

/** Clients of the HTTP binding know an error by the name of its event. */
function errorEvent({ binding }: Answered, error: unknown): Uint8Array {
  return binding === 'jsonrpc' ? eventOf(error) : eventOf(error, 'error')
}

/** How one request is answered in its binding and version. */
export function voiceOf(answered: Answered): Voice {
  return {
    refusal: (verdict) => jsonOf(refusalOf(answered, verdict.message)),
    fault: (code, message) => jsonOf(failureOf(answered, code, message)),
    sever: (verdict) => refusedEvent(answered, verdict.message),
    breakOff: (code, message) => errorEvent(answered, failureOf(answered, code, message)),
  }
}
