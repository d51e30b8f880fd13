import { Redis } from 'ioredis'
import { type AgentKey, agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { EpochCounter, EpochWatch } from './ports.ts'

/** Everything but `url` has a default. */
export type RedisOptions = {
  /** `redis://host:port/database`. */
  readonly url: string
  /** Begins every key and channel. Default `sallyport`. */
  readonly prefix?: string
  /** The root of the delegation tree of an agent: all its keys are on one shard of a cluster. Default the agent itself. */
  readonly rootOf?: (agent: AgentKey) => AgentKey
  /** For one question; an answer that comes later is not taken. Default 2,000. */
  readonly timeoutMs?: number
}

/** KEYS: the epoch. ARGV: agent, channel. Assigns and pushes in one step; nothing where the epoch is not known. */
const RAISE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local epoch = redis.call('INCR', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[1] .. ' ' .. string.format('%d', epoch))
return epoch`

/** KEYS: the epoch. ARGV: agent, channel, the least epoch. */
const SEED = `
local now = redis.call('GET', KEYS[1])
if now and tonumber(now) >= tonumber(ARGV[3]) then return tonumber(now) end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[2], ARGV[1] .. ' ' .. ARGV[3])
return tonumber(ARGV[3])`

/** First wait before a new connection, and the longest. */
const RETRY_MS = { first: 50, longest: 1_000 }

/**
 * Epochs in Redis.
 * @throws SallyportError STATE_UNAVAILABLE, also later on, when the server does not answer in time
 */
export async function openRedisCounter(options: RedisOptions): Promise<EpochCounter> {
  const client = newClient(options)
  try {
    await client.connect()
    return new RedisCounter(client, options)
  } catch (error) {
    client.disconnect()
    throw unavailable(error)
  }
}

function newClient({ url, timeoutMs = 2_000 }: RedisOptions): Redis {
  const client = new Redis(url, {
    lazyConnect: true,
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0, // a kill that may or may not have been counted is asked for again by whoever wants it
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(times * RETRY_MS.first, RETRY_MS.longest),
  })
  client.on('error', () => {}) // the questions tell
  return client
}

class RedisCounter implements EpochCounter {
  readonly #client: Redis
  readonly #options: RedisOptions
  readonly #prefix: string
  readonly #watchers = new Set<Redis>()

  constructor(client: Redis, options: RedisOptions) {
    this.#client = client
    this.#options = options
    this.#prefix = options.prefix ?? 'sallyport'
  }

  async current(agent: AgentKey): Promise<number | null> {
    return epochOf(await this.#ask(() => this.#client.get(this.#key(agent))))
  }

  async raise(agent: AgentKey): Promise<number | null> {
    return epochOf(await this.#ask(() => this.#client.eval(RAISE, 1, this.#key(agent), agent, this.#channel)))
  }

  async seed(agent: AgentKey, least: number): Promise<number> {
    const now = await this.#ask(() => this.#client.eval(SEED, 1, this.#key(agent), agent, this.#channel, String(least)))
    return epochOf(now) ?? least
  }

  async watch(watch: EpochWatch): Promise<() => Promise<void>> {
    const client = newClient(this.#options)
    this.#watchers.add(client)
    client.on('message', (_channel, text: string) => {
      const told = readMessage(text)
      if (told !== null) return watch.raised(told.agent, told.epoch)
      watch.lost()
      watch.found()
    })
    try {
      await client.connect()
      await client.subscribe(this.#channel)
    } catch (error) {
      await this.#endWatch(client)
      throw unavailable(error)
    }
    client.on('close', () => watch.lost()) // silence is no epoch
    client.on('ready', () => {
      void client.subscribe(this.#channel).then(
        () => watch.found(),
        () => client.disconnect(true),
      )
    })
    return () => this.#endWatch(client)
  }

  async close(): Promise<void> {
    for (const client of this.#watchers) await this.#endWatch(client)
    this.#client.disconnect()
  }

  get #channel(): string {
    return `${this.#prefix}:epochs`
  }

  #key(agent: AgentKey): string {
    return `${this.#prefix}:{${this.#options.rootOf?.(agent) ?? agent}}:epoch:${agent}`
  }

  async #endWatch(client: Redis): Promise<void> {
    this.#watchers.delete(client)
    client.removeAllListeners('close')
    client.removeAllListeners('ready')
    client.disconnect()
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      throw unavailable(error)
    }
  }
}

function epochOf(value: unknown): number | null {
  const epoch = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
  return Number.isSafeInteger(epoch) && epoch >= 1 ? epoch : null
}

function readMessage(text: string): { readonly agent: AgentKey; readonly epoch: number } | null {
  const [, namespace, name, epoch] = /^([a-z0-9][a-z0-9.-]*)\/([a-z0-9][a-z0-9.-]*) (\d{1,15})$/.exec(text) ?? []
  if (namespace === undefined || name === undefined || epoch === undefined) return null
  return { agent: agentKeyOf({ namespace, name }), epoch: Number(epoch) }
}

function unavailable(cause: unknown): SallyportError {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return new SallyportError('STATE_UNAVAILABLE', `Redis does not do what it is asked${why}`, { cause })
}
