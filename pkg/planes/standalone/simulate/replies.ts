import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StreamEvent } from './events.ts'
import { type Fault, faultBody } from './faults.ts'
import { lettersFrom } from './identifiers.ts'
import type { Entry } from './record.ts'

/** A request body: its bytes, over the limit, or cut off because the client went away. */
export type BodyRead = Buffer | 'too large' | 'cut off'

/** Reads a body; over `maxBytes` it stops keeping and discards the rest, so that the client can still be told. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<BodyRead> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size <= maxBytes) {
        parts.push(part)
        return
      }
      parts.length = 0
      resolve('too large')
    })
    request.once('end', () => resolve(Buffer.concat(parts)))
    request.once('error', () => resolve('cut off'))
    request.once('close', () => resolve('cut off'))
  })
}

/** Answers with a JSON body. */
export function sendJson(response: ServerResponse, entry: Entry, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value, null, 2))
  entry.status = status
  response.writeHead(status, { ...headersOf(entry, 'application/json'), 'content-length': body.length })
  response.end(body)
}

/** Answers with the provider's error body. A 413 also ends the connection: the rest of the body is not wanted. */
export function sendFault(response: ServerResponse, entry: Entry, fault: Fault): void {
  if (fault.status === 413) response.setHeader('connection', 'close')
  sendJson(response, entry, fault.status, faultBody(fault))
}

/**
 * Streams events, one every `delayMs`, and waits for a client that does not read. `sent` is called with the tokens of
 * each event once it is written. Returns early when the client is gone.
 */
export async function sendStream(
  response: ServerResponse,
  entry: Entry,
  events: Iterable<StreamEvent>,
  options: { readonly delayMs: number; readonly sent: (tokens: number) => void; readonly contentType?: string },
): Promise<void> {
  entry.status = 200
  response.writeHead(200, headersOf(entry, options.contentType ?? 'text/event-stream; charset=utf-8'))
  response.flushHeaders()
  for (const event of events) {
    await pause(options.delayMs)
    if (response.destroyed) return
    if (!response.write(event.text)) await drained(response)
    options.sent(event.tokens)
  }
  response.end()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)))
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

function headersOf(entry: Entry, contentType: string): Record<string, string> {
  return {
    'content-type': contentType,
    'openai-organization': 'simulated',
    'openai-processing-ms': '1',
    'openai-version': '2020-10-01',
    'x-request-id': `req_${lettersFrom(`${entry.path} ${JSON.stringify(entry.body)}`, 32).toLowerCase()}`,
  }
}
