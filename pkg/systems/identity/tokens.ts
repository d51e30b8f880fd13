import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { AgentKey } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { whyNot } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import type { RandomBytes } from '#pkg/platform/random'
import { readTokenFile, type TokenTable, writeTokenFile } from './token-file.ts'
import { newTokenMaker } from './token-maker.ts'

/** What `identity` is given. */
export type TokensDeps = { readonly random: RandomBytes; readonly log: Log }

/** Where the tokens are kept. */
export type TokensOptions = { readonly dataDir: string }

/** The local tokens of the agents that the folder names today. */
export type Tokens = {
  /** The agent that owns the token, or null. O(1); how long it takes tells nothing about a token that exists. */
  find(token: string): AgentKey | null
  /** The token of an agent of the last {@link Tokens.ensure}, or null. */
  tokenOf(agent: AgentKey): string | null
  /**
   * Makes these agents the ones whose tokens count, and makes the tokens that are missing, in one durable write.
   * @throws SallyportError STATE_UNAVAILABLE when it cannot be written: agents that had a token keep it, the others have none.
   */
  ensure(agents: readonly AgentKey[]): void
  /** False while an agent of the last {@link Tokens.ensure} has none. */
  readonly complete: boolean
}

/** Longer than any token of ours; what is longer is not even hashed. */
const MAX_TOKEN_LENGTH = 256

/**
 * Reads `DIR/tokens`, or begins without tokens when there is no such file.
 * @throws SallyportError STATE_UNAVAILABLE for a file that cannot be read, or not be understood.
 */
export function openTokens(deps: TokensDeps, options: TokensOptions): Tokens {
  const path = join(options.dataDir, 'tokens')
  const makeToken = newTokenMaker(deps.random)
  let kept: TokenTable = readTokenFile(path, deps.log)
  let agents: ReadonlyMap<string, AgentKey> = new Map()
  let complete = true
  let tokens: ReadonlyMap<AgentKey, string> = new Map()

  const install = (wanted: readonly AgentKey[]): void => {
    const byDigest = new Map<string, AgentKey>()
    const byAgent = new Map<AgentKey, string>()
    for (const agent of wanted) {
      const token = kept.get(agent)
      if (token === undefined) continue
      byDigest.set(digestOf(token), agent)
      byAgent.set(agent, token)
    }
    agents = byDigest
    tokens = byAgent
    complete = wanted.every((agent) => byAgent.has(agent))
  }

  return {
    find: (token) => (token.length > MAX_TOKEN_LENGTH ? null : (agents.get(digestOf(token)) ?? null)),
    tokenOf: (agent) => tokens.get(agent) ?? null,
    get complete() {
      return complete
    },
    ensure: (wanted) => {
      const missing = wanted.filter((agent) => !kept.has(agent))
      try {
        if (missing.length > 0) {
          const grown = new Map(kept)
          for (const agent of missing) if (!grown.has(agent)) grown.set(agent, makeToken())
          writeTokenFile(path, grown)
          kept = grown
        }
      } catch (error) {
        throw new SallyportError(
          'STATE_UNAVAILABLE',
          `the tokens of ${missing.length} new agents cannot be written to ${path}: ${whyNot(error, path)}`,
          { fields: { file: path, agents: missing.length }, cause: error },
        )
      } finally {
        install(wanted) // an agent that is gone stops resolving even when the disk is full
      }
    },
  }
}

/** Looking up a digest instead of the token leaves nothing to measure: its bytes cannot be chosen. */
function digestOf(token: string): string {
  return hash('sha256', token, 'base64')
}
