import type { Headers } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'

/** How every agent token begins. DESIGN §8. */
export const TOKEN_PREFIX = 'sp_vk_'

/** Where a provider takes its key. */
export type KeyHeader = 'authorization' | 'x-api-key' | 'x-goog-api-key'

const KEY_HEADERS: ReadonlySet<string> = new Set<KeyHeader>(['authorization', 'x-api-key', 'x-goog-api-key'])

/**
 * The headers of the upstream request: the caller's, with the provider's key where there is one. A key of
 * the caller's never passes.
 * @throws SallyportError INTERNAL if an agent's token stands in any of them: it must not leave this machine.
 */
export function requestHeaders(
  headers: Headers,
  key: string | null,
  keyHeader: KeyHeader = 'authorization',
): Record<string, string | string[]> {
  const sent: Record<string, string | string[]> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined || KEY_HEADERS.has(name.toLowerCase())) continue
    assertNoToken(typeof value === 'string' ? value : value.join('\n'), `header "${name}"`)
    sent[name] = typeof value === 'string' ? value : [...value]
  }
  if (key !== null) sent[keyHeader] = keyHeader === 'authorization' ? `Bearer ${key}` : key
  return sent
}

/** @throws SallyportError INTERNAL if the text holds an agent's token. `where` names the place, never the text. */
export function assertNoToken(text: string, where: string): void {
  if (text.includes(TOKEN_PREFIX))
    throw new SallyportError('INTERNAL', `an agent token stands in the ${where}, so the request is not sent upstream`)
}
