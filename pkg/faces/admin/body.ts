import type { IncomingMessage } from 'node:http'
import { SallyportError } from '#pkg/model/errors'

/**
 * A whole JSON body below its limit.
 * @throws SallyportError USAGE when it is too large, not UTF-8 or not JSON.
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new SallyportError('USAGE', 'the body must be JSON: send "content-type: application/json"')
  const chunks: Buffer[] = []
  let size = 0
  // a request that is destroyed takes its socket along, and the answer with it
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes)
      throw new SallyportError('USAGE', `the body is larger than ${maxBytes} bytes, which is the limit`)
    chunks.push(bytes)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks)))
  } catch (cause) {
    throw new SallyportError('USAGE', 'the body is not JSON in UTF-8', { cause })
  }
}
