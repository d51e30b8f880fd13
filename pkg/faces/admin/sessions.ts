import { createHash, timingSafeEqual } from 'node:crypto'
import { SallyportError } from '#pkg/model/errors'
import { type Clock, rfc3339 } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'

/** `random(n)` answers n bytes that nobody can guess. */
export type SessionDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly random: (bytes: number) => Uint8Array
}

/** Everything has a default. */
export type SessionOptions = {
  /** How long a code works. Default 60,000. */
  readonly codeLifeMs?: number
  /** Codes that wait at a time; one more takes the place of the oldest. Default 8. */
  readonly maxCodes?: number
  /** How long a session works. Default 12 h. */
  readonly sessionLifeMs?: number
  /** Sessions at a time; one more ends the oldest. Default 16. */
  readonly maxSessions?: number
  /** Wrong codes within a minute; after them no code is looked at until the minute is over. Default 10. */
  readonly maxWrongCodes?: number
}

/** What a code is exchanged for. `expires` is RFC 3339. */
export type Session = { readonly token: string; readonly expires: string }

/** Codes and the sessions that they open. Both end with the process: nothing is written down. */
export type Sessions = {
  readonly codeLifeMs: number
  /** A code that works once. */
  issue(): string
  /** @throws SallyportError ADMIN_UNAUTHORIZED for a code that does not work, ADMIN_TOO_OFTEN after too many of those. */
  redeem(code: string): Session
  /** Does this token open the API? Compared without telling by its time how much fits. */
  opens(token: string): boolean
}

const DEFAULTS = {
  codeLifeMs: 60_000,
  maxCodes: 8,
  sessionLifeMs: 12 * 60 * 60 * 1_000,
  maxSessions: 16,
  maxWrongCodes: 10,
}

const SECRET_BYTES = 32
const MINUTE_MS = 60_000

/** Nothing is open at the start. */
export function newSessions(deps: SessionDeps, options: SessionOptions = {}): Sessions {
  const settings = { ...DEFAULTS, ...options }
  const nowMs = (): number => deps.clock.monotonicUs() / 1_000
  const codes = newSecrets(nowMs, settings.maxCodes)
  const sessions = newSecrets(nowMs, settings.maxSessions)
  const wrong: number[] = []
  const make = (prefix: string): string => prefix + Buffer.from(deps.random(SECRET_BYTES)).toString('base64url')
  return {
    codeLifeMs: settings.codeLifeMs,
    issue: () => {
      const code = make('sp_dc_')
      codes.add(code, settings.codeLifeMs)
      return code
    },
    redeem: (code) => {
      while (wrong[0] !== undefined && wrong[0] <= nowMs() - MINUTE_MS) wrong.shift()
      if (wrong.length >= settings.maxWrongCodes)
        throw new SallyportError(
          'ADMIN_TOO_OFTEN',
          `${settings.maxWrongCodes} wrong codes came within a minute, which is the limit; wait a minute, then ask "sallyctl dashboard" for a new one`,
        )
      if (!codes.take(code)) {
        wrong.push(nowMs())
        deps.log.warn('dashboard-code-wrong')
        throw new SallyportError(
          'ADMIN_UNAUTHORIZED',
          `the code was used already, or is older than ${settings.codeLifeMs / 1_000} s; ask "sallyctl dashboard" for a new one`,
        )
      }
      const token = make('sp_das_')
      sessions.add(token, settings.sessionLifeMs)
      deps.log.info('dashboard-session-opened')
      return { token, expires: rfc3339(deps.clock.nowMs() + settings.sessionLifeMs) }
    },
    opens: (token) => sessions.has(token),
  }
}

type Secrets = {
  add(secret: string, lifeMs: number): void
  has(secret: string): boolean
  /** As `has`, and never again. */
  take(secret: string): boolean
}

type Kept = { readonly digest: Buffer; readonly endMs: number }

/** A bounded list of secrets that end; only their digests are kept, and each question looks at all of them. */
function newSecrets(nowMs: () => number, max: number): Secrets {
  let kept: readonly Kept[] = []
  const find = (secret: string): Kept | null => {
    kept = kept.filter(({ endMs }) => endMs > nowMs())
    const digest = digestOf(secret)
    let found: Kept | null = null
    for (const each of kept) if (timingSafeEqual(each.digest, digest)) found = each
    return found
  }
  return {
    add: (secret, lifeMs) => {
      kept = [...kept, { digest: digestOf(secret), endMs: nowMs() + lifeMs }].slice(-max)
    },
    has: (secret) => find(secret) !== null,
    take: (secret) => {
      const found = find(secret)
      kept = kept.filter((each) => each !== found)
      return found !== null
    },
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
