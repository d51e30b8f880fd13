import { createHash } from 'node:crypto'

/** An answer's entity body as it came over the wire. Times in ms since the request was sent. */
export type RawAnswer = {
  readonly bytes: Buffer
  readonly sha256: string
  readonly events: number
  readonly firstTextMs: number
  /** What `probe` gave at that moment. */
  readonly atFirstText: number
  readonly endMs: number
}

/** Where and with which key to ask; `probe` is asked when the first text arrives. */
export type Asking = { readonly baseUrl: string; readonly key: string; readonly probe: () => number }

/** Sends a chat request without any SDK and keeps every byte of the answer. */
export async function fetchRaw({ baseUrl, key, probe }: Asking, body: string): Promise<RawAnswer> {
  const started = performance.now()
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body,
    signal: AbortSignal.timeout(20_000),
  })
  if (!response.ok || response.body === null)
    throw new Error(`${baseUrl} answered ${response.status}: ${(await response.text()).slice(0, 500)}`)
  const parts: Uint8Array[] = []
  let firstTextMs: number | null = null
  let atFirstText = 0
  for await (const part of response.body) {
    parts.push(part)
    if (firstTextMs !== null || !/"content":"[^"]/.test(Buffer.concat(parts).toString())) continue
    firstTextMs = performance.now() - started
    atFirstText = probe()
  }
  const endMs = performance.now() - started
  const bytes = Buffer.concat(parts)
  return {
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    events: bytes.toString().split('\n\n').length - 1,
    firstTextMs: firstTextMs ?? endMs,
    atFirstText,
    endMs,
  }
}
