import type { DashboardSessionAnswer } from '#pkg/faces/admin'
import { ApiFault, readAnswer } from './api.ts'

const STORED = 'sallyport-session'

/** The code in the address, taken out of it at once so that it is neither seen nor kept in the history; or null. */
export function takeCode(): string | null {
  const code = /^#code=([A-Za-z0-9_-]{1,128})$/.exec(location.hash)?.[1] ?? null
  if (location.hash.startsWith('#code=')) history.replaceState(null, '', `${location.pathname}#/overview`)
  return code
}

/** Exchanges a code for the token of a session, which this tab keeps. @throws ApiFault */
export async function openSession(code: string): Promise<string> {
  const answer = await fetch('/v1/dashboard/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
    cache: 'no-store',
  }).catch(() => {
    throw new ApiFault(0, 'UNREACHABLE', 'the process does not answer')
  })
  const { token } = await readAnswer<DashboardSessionAnswer>(answer)
  sessionStorage.setItem(STORED, token)
  return token
}

/** The token that this tab keeps, or null. */
export function storedToken(): string | null {
  return sessionStorage.getItem(STORED)
}

/** Forgets it. */
export function forgetToken(): void {
  sessionStorage.removeItem(STORED)
}
