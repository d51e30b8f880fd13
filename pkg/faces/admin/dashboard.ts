import type { ServerResponse } from 'node:http'
import { type Asset, assetHeaders, newAssets } from '#pkg/faces/dashboard'
import { SallyportError } from '#pkg/model/errors'
import { sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route, Served } from './call.ts'
import { readQuery } from './query.ts'
import { refTo } from './schema.ts'
import type { Session } from './sessions.ts'

/** `POST /v1/dashboard/codes`: the address to open, once, within that time. */
export type DashboardCodeAnswer = { readonly url: string; readonly expiresInSeconds: number }

/** `POST /v1/dashboard/sessions`. */
export type DashboardSessionAnswer = Session

const SESSIONS_PATH = '/v1/dashboard/sessions'
const ASSET_PATHS: readonly (readonly [path: string, asset: Asset])[] = [
  ['/dashboard/', 'index.html'],
  ['/dashboard/app.js', 'app.js'],
  ['/dashboard/app.css', 'app.css'],
  ['/dashboard/icon.svg', 'icon.svg'],
]
/** `sp_dc_` and 32 bytes in base64url. */
const CODE = /^[A-Za-z0-9_-]{1,128}$/

/** The files of the page. */
export const PAGE_ROUTES: readonly Served[] = [
  { method: 'GET', path: '/', answer: redirect },
  { method: 'GET', path: '/dashboard', answer: redirect },
  ...ASSET_PATHS.map(([path, name]): Served => ({ method: 'GET', path, answer: (call) => asset(name, call) })),
]

/** How a browser gets in. */
export const DASHBOARD_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/dashboard/codes',
    answer: code,
    doc: {
      operation: 'issueDashboardCode',
      tag: 'dashboard',
      summary: 'An address that opens the dashboard, once.',
      details: 'Over the Unix socket alone.',
      body: { type: 'object', additionalProperties: false },
      answers: { 200: { what: 'The address, and how long it works.', schema: refTo('DashboardCode') } },
      faults: ['ADMIN_FORBIDDEN'],
    },
  },
  {
    method: 'POST',
    path: SESSIONS_PATH,
    answer: session,
    doc: {
      operation: 'openDashboardSession',
      tag: 'dashboard',
      summary: 'Exchange the code of an address for a token of the TCP side.',
      body: {
        type: 'object',
        properties: { code: { type: 'string', pattern: CODE.source } },
        required: ['code'],
        additionalProperties: false,
      },
      answers: { 200: { what: 'A token, and when it ends.', schema: refTo('DashboardSession') } },
      faults: ['ADMIN_TOO_OFTEN'],
      entry: 'none',
    },
  },
]

/** What a browser asks before it has a token: files without data, and the exchange of a code. The Host must fit as ever. */
export function isOpenToBrowsers(path: string): boolean {
  return path === SESSIONS_PATH || path === '/' || path === '/dashboard' || path.startsWith('/dashboard/')
}

function redirect({ response, query }: Call): void {
  readQuery(query, [])
  response.writeHead(308, {
    ...assetHeaders('text/plain; charset=utf-8'),
    location: '/dashboard/',
    'content-length': 0,
  })
  response.end()
}

async function asset(name: Asset, { deps, response, query }: Call): Promise<void> {
  readQuery(query, [])
  const found = await newAssets(deps.dashboard.dir).read(name)
  if (found === null)
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      'the page of the dashboard is not made yet: run "make setup" (or "npm run setup") in the clone; the npm package has it',
    )
  sendAsset(response, found.type, found.bytes)
}

function sendAsset(response: ServerResponse, type: string, bytes: Buffer): void {
  response.writeHead(200, { ...assetHeaders(type), 'content-length': bytes.length })
  response.end(bytes)
}

async function code({ deps, request, response, query, trusted }: Call): Promise<void> {
  readQuery(query, [])
  if (!trusted)
    throw new SallyportError(
      'ADMIN_FORBIDDEN',
      'codes of the dashboard are given over the Unix socket alone: run "sallyctl dashboard" without --address, as the user who runs the process',
    )
  readFields(await readJson(request, deps.limits.maxBodyBytes), [])
  const { sessions, url } = deps.dashboard
  const answer: DashboardCodeAnswer = {
    url: `${url()}/dashboard/#code=${sessions.issue()}`,
    expiresInSeconds: sessions.codeLifeMs / 1_000,
  }
  sendJson(response, 200, answer)
}

async function session({ deps, request, response, query }: Call): Promise<void> {
  readQuery(query, [])
  const given = readFields(await readJson(request, deps.limits.maxBodyBytes), ['code'])['code']
  if (typeof given !== 'string' || !CODE.test(given))
    throw new SallyportError('USAGE', 'the body must be {"code":"…"} with the code of "sallyctl dashboard"')
  const answer: DashboardSessionAnswer = deps.dashboard.sessions.redeem(given)
  sendJson(response, 200, answer)
}

function readFields(body: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const given: Readonly<Record<string, unknown>> = isObject ? { ...body } : {}
  if (!isObject || Object.keys(given).some((name) => !names.includes(name)))
    throw new SallyportError('USAGE', `the body must be a JSON object with ${names.join(', ') || 'nothing in it'}`)
  return given
}
