import { constants } from 'node:http2'

/** Why an exchange over HTTP/2 ended: the codes that `faults.ts` knows. */
export type H2Code =
  | 'H2_REFUSED'
  | 'H2_CALM'
  | 'H2_RESET'
  | 'H2_PROTOCOL'
  | 'H2_GOAWAY'
  | 'H2_DEAD'
  | 'H2_NO_SETTINGS'
  | 'UND_ERR_HEADERS_TIMEOUT'
  | 'UND_ERR_BODY_TIMEOUT'
  | 'UND_ERR_HEADERS_OVERFLOW'
  | 'UND_ERR_DESTROYED'

/** An error with a code and nothing else: what a peer sends along stays out of messages. */
export function h2Error(code: H2Code): Error {
  return Object.assign(new Error(code), { code })
}

const BY_RESET: Readonly<Record<number, H2Code>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: 'H2_REFUSED',
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: 'H2_CALM',
  [constants.NGHTTP2_PROTOCOL_ERROR]: 'H2_PROTOCOL',
  [constants.NGHTTP2_FRAME_SIZE_ERROR]: 'H2_PROTOCOL',
  [constants.NGHTTP2_COMPRESSION_ERROR]: 'H2_PROTOCOL',
}

const PASSED: ReadonlySet<string> = new Set<H2Code>(['H2_DEAD', 'UND_ERR_DESTROYED'])

/** What ended a stream, from the code of its reset and the error that Node made of it. */
export function whyEnded(rstCode: number, error: NodeJS.ErrnoException | null): Error {
  const code = error?.code
  if (error !== null && code !== undefined && (PASSED.has(code) || !code.startsWith('ERR_HTTP2'))) return error
  if (code === 'ERR_HTTP2_SESSION_ERROR' || code === 'ERR_HTTP2_GOAWAY_SESSION') return h2Error('H2_GOAWAY')
  if (code === 'ERR_HTTP2_ERROR') return h2Error('H2_PROTOCOL')
  return h2Error(BY_RESET[rstCode] ?? 'H2_RESET')
}
