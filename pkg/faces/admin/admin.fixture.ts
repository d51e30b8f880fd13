import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newManualClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { openMetrics } from '#pkg/platform/metrics'
import { newSourceDouble, type SourceDouble } from '../../../test/fixtures/admin-source.ts'
import { assertDescribed } from './described.fixture.ts'
import { type Admin, type AdminOptions, ROUTE_LABELS, startAdmin } from './index.ts'

export type Bench = {
  readonly admin: Admin
  readonly source: SourceDouble
  readonly socketPath: string
  readonly port: number
  /** Readers that follow the verdicts now. The API counts them for itself, too. */
  readonly following: () => number
}

export async function withAdmin(
  body: (bench: Bench) => Promise<void>,
  options: Partial<AdminOptions> = {},
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-adm-'))
  const socketPath = join(dir, 'admin.sock')
  const source = newSourceDouble()
  const metrics = openMetrics({ dialects: [], routes: ROUTE_LABELS, versions: ['1.2.3'] })
  const deps = { source, metrics, clock: newManualClock(Date.UTC(2026, 0, 2)), log: silentLog, random: randomBytes }
  const admin = await startAdmin(deps, { port: 0, socketPath, version: '1.2.3', ...options })
  try {
    const own = source.listeners.size
    const following = (): number => source.listeners.size - own
    await body({ admin, source, socketPath, port: Number(new URL(admin.url).port), following })
  } finally {
    await admin.close()
    metrics.close()
    rmSync(dir, { recursive: true })
  }
}

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Parsed; what it should be is what the test asserts. */
  readonly json: <T = Readonly<Record<string, unknown>>>() => T
}

/** Asks; whatever the answer is, it is one that the description of the API promises. */
export async function ask(options: RequestOptions, body?: string): Promise<Answer> {
  const answer = await open(options, body)
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  const { method = 'GET', path } = options
  assertDescribed(method, path ?? '', {
    status: answer.statusCode ?? 0,
    type: answer.headers['content-type'],
    text,
  })
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) }
}

export function open(options: RequestOptions, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent: false, ...options }, resolve)
    request.on('error', reject)
    request.end(body)
  })
}

export const over = (bench: Bench, path: string, more: RequestOptions = {}): RequestOptions => ({
  socketPath: bench.socketPath,
  path,
  ...more,
})
export const tcp = (bench: Bench, path: string, headers: Record<string, string> = {}): RequestOptions => ({
  host: '127.0.0.1',
  port: bench.port,
  path,
  headers: { authorization: `Bearer ${bench.admin.token}`, ...headers },
})

export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 3_000
  while (!condition()) {
    if (performance.now() > end) assert.fail('not true within 3,000 ms')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const codeOf = (answer: Answer): string => answer.json<{ error: { code: string } }>().error.code
