import type { AgentKey } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import type { Tokens } from '#pkg/systems/identity'

const RETRY_AFTER_MS = 1_000

/** Sees that agents get their tokens while the process runs. */
export type TokenKeeper = {
  /** Never throws: where the disk does not take new tokens it is tried each second, and the rest of a change goes on without. */
  ensure(agents: readonly AgentKey[]): void
  close(): void
}

/** A keeper of these tokens. */
export function newTokenKeeper(tokens: Pick<Tokens, 'ensure'>, log: Log): TokenKeeper {
  let timer: NodeJS.Timeout | null = null
  let failed = false
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
  }
  const ensure = (agents: readonly AgentKey[]): void => {
    stop()
    try {
      tokens.ensure(agents)
      if (failed) log.info('tokens-recovered')
      failed = false
    } catch (error) {
      if (!failed) log.error('tokens-unavailable', { error })
      failed = true
      timer = setTimeout(() => ensure(agents), RETRY_AFTER_MS).unref()
    }
  }
  return { ensure, close: stop }
}
