import type { Headers } from '#pkg/model'
import { valuesOf } from './headers.ts'

/** How every agent token begins. DESIGN §8. */
export const TOKEN_PREFIX = 'sp_vk_'

const TOKEN = /^sp_vk_[A-Za-z0-9_-]{1,256}$/
const SCHEME = 'bearer '

/** Where the SDKs put their API key. */
const PLACES = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const

/**
 * The agent's local token, from wherever an SDK puts its API key. Other keys are no tokens; two different tokens are
 * none, because no one could say which agent asks.
 */
export function tokenOf(headers: Headers): string | null {
  let found: string | null = null
  for (const place of PLACES)
    for (const value of valuesOf(headers, place)) {
      const key = place === 'authorization' ? bearerOf(value) : value
      if (key === null || !TOKEN.test(key)) continue
      if (found !== null && found !== key) return null
      found = key
    }
  return found
}

function bearerOf(value: string): string | null {
  if (value.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null
  return value.slice(SCHEME.length).trimStart()
}
