/** A facade on a free port, and what its tests do with it. */
import assert from 'node:assert/strict'
import type { Ask, ClientLeg, Reason } from '#pkg/model'
import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as http1 from '#pkg/path/codec/wire/http1'
import * as http2 from '#pkg/path/codec/wire/http2'
import { type RawClient, rawClient } from '../../../test/fixtures/raw-client.ts'
import { type Facade, type FacadeDeps, type FacadeOptions, newFacade } from './index.ts'

type Rejected = {
  readonly facade: string
  readonly path: string
  readonly token: string | null
  readonly reason: Reason
}

export type Bench = {
  readonly facade: Facade
  readonly port: number
  readonly asks: Ask[]
  readonly rejected: Rejected[]
  readonly logged: string[]
  client(): Promise<RawClient>
}

export const JSON_TYPE = { 'content-type': 'application/json' }
export const echo = (ask: Ask, client: ClientLeg) =>
  client.reply(200, JSON_TYPE, Buffer.from(JSON.stringify({ path: ask.path, body: Buffer.from(ask.body).toString() })))

export async function withFacade(
  handle: FacadeDeps['handle'],
  body: (bench: Bench) => Promise<void>,
  options: Partial<FacadeOptions> = {},
  overrides: Partial<FacadeDeps> = {},
): Promise<void> {
  const asks: Ask[] = []
  const rejected: Rejected[] = []
  const logged: string[] = []
  const note = (event: string) => void logged.push(event)
  const deps: FacadeDeps = {
    rules: http1,
    http2,
    decode: decodeWhole,
    handle: (ask, client) => {
      asks.push(ask)
      return handle(ask, client)
    },
    reject: (ask, reason, _detail, client) => {
      rejected.push({ facade: ask.facade, path: ask.path, token: ask.token, reason })
      client.reply(403, { ...JSON_TYPE, 'x-should-retry': 'false' }, Buffer.from(reason))
    },
    tunnel: async (ask, client) => {
      asks.push(ask)
      client.reply(403, JSON_TYPE, Buffer.from('tunnel'))
    },
    log: { debug: note, info: note, warn: note, error: note },
    ...overrides,
  }
  const facade = newFacade(deps, { facades: [{ name: 'openai', base: '/openai/v1' }], port: 0, ...options })
  const { port } = await facade.listen()
  const clients: RawClient[] = []
  const client = async () => {
    const made = await rawClient(port)
    clients.push(made)
    return made
  }
  try {
    await body({ facade, port, asks, rejected, logged, client })
  } finally {
    for (const made of clients) made.close()
    await facade.close(0)
  }
}

export async function until(condition: () => boolean, withinMs = 2_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not true within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
export const post = (body: string, headers: readonly string[] = [], path = '/openai/v1/chat/completions') =>
  [`POST ${path} HTTP/1.1`, 'host: x', `content-length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n')
export const get = (path: string, headers: readonly string[] = []) =>
  [`GET ${path} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n')
