/** The contract on real servers, and what only they can do. Started by `make test-stores`. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { agentKeyOf } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { openPostgresRows, openRedisCounter } from '#pkg/platform/store'
import { decodeRow, type Row, storeContract, type World } from './contract.ts'

const redisUrl = process.env['STORES_REDIS']
const postgresUrl = process.env['STORES_POSTGRES']
if (redisUrl === undefined || postgresUrl === undefined)
  throw new Error('run "make test-stores", which starts the servers')

const redis = new Redis(redisUrl)
const postgres = new Pool({ connectionString: postgresUrl, max: 2 })
after(async () => {
  redis.disconnect()
  await postgres.end()
})
let serial = 0

/** A database of its own and a prefix of its own for each test. */
async function open(): Promise<World> {
  serial += 1
  const name = `w${process.pid}_${serial}`
  await postgres.query(`CREATE DATABASE ${name}`)
  const url = new URL(postgresUrl ?? '')
  url.pathname = `/${name}`
  const keys = (): Promise<string[]> => redis.keys(`${name}:*`)
  let marked: readonly (readonly [key: string, value: string])[] = []
  return {
    rows: () => openPostgresRows<Row>({ url: url.href, decode: decodeRow, pageRows: 10, maxConnections: 2 }),
    counter: () => openRedisCounter({ url: redisUrl ?? '', prefix: name }),
    lose: async () => void (await redis.del(...(await keys()), 'none')),
    mark: async () => {
      marked = await Promise.all((await keys()).map(async (key) => [key, (await redis.get(key)) ?? ''] as const))
    },
    fallBack: async () => {
      for (const [key, value] of marked) await redis.set(key, value)
    },
    interrupt: async () => void (await redis.client('KILL', 'TYPE', 'PUBSUB')),
    close: async () => {},
  }
}

storeContract('Redis and Postgres', open)

const ada = agentKeyOf({ namespace: 'growth', name: 'ada' })

test('[STORE-01] Postgres itself lets no epoch fall and no row go, whoever asks', async () => {
  const world = await open()
  const rows = await world.rows()
  await rows.put({ agent: ada, epoch: 5, note: '' }, 0)
  const url = new URL(postgresUrl)
  url.pathname = `/w${process.pid}_${serial}`
  const person = new Pool({ connectionString: url.href, max: 1 })
  for (const statement of [
    'UPDATE sallyport_lives SET epoch = 4',
    'UPDATE sallyport_lives SET epoch = 0',
    'DELETE FROM sallyport_lives',
  ])
    await assert.rejects(person.query(statement), /falls from 5 to|must not be lost|check constraint/, statement)
  assert.equal((await rows.get(ada))?.row.epoch, 5)
  await person.end()
  await rows.close()
})

test('[STORE-01] replicas that start together make the tables once; a row that is none is a fault', async () => {
  const world = await open()
  const all = await Promise.all(Array.from({ length: 6 }, () => world.rows()))
  const [rows] = all
  await rows?.put({ agent: ada, epoch: 1, note: '' }, 0)
  const url = new URL(postgresUrl)
  url.pathname = `/w${process.pid}_${serial}`
  const person = new Pool({ connectionString: url.href, max: 1 })
  await person.query(`UPDATE sallyport_lives SET body = '{"agent":"growth/bob","epoch":1,"note":""}'`)
  await assert.rejects(
    async () => rows?.get(ada),
    (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
  )
  await person.end()
  await Promise.all(all.map((one) => one.close()))
})

test('[STORE-05] servers that are not there are said to be so, in time', async () => {
  const nowhere = { redis: 'redis://127.0.0.1:1', postgres: 'postgres://x@127.0.0.1:1/x' }
  const unavailable = (error: unknown): boolean => isErrorCode(error, 'STATE_UNAVAILABLE')
  await assert.rejects(openRedisCounter({ url: nowhere.redis, timeoutMs: 500 }), unavailable)
  await assert.rejects(
    openPostgresRows({ url: nowhere.postgres, decode: decodeRow, connectTimeoutMs: 500 }),
    unavailable,
  )
})

test('[STORE-03] every key of a delegation tree has the hash tag of its root', async () => {
  const root = agentKeyOf({ namespace: 'growth', name: 'root' })
  const counter = await openRedisCounter({ url: redisUrl, prefix: 'tags', rootOf: () => root })
  await counter.seed(ada, 1)
  assert.deepEqual(await redis.keys('tags:*'), ['tags:{growth/root}:epoch:growth/ada'])
  await counter.close()
})
