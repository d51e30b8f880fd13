import type { Ask, ClientLeg, Headers } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { UNKNOWN_TOKEN } from './caller.ts'
import type { Proofs, Roster } from './ports.ts'

/** The facade on which an agent asks about itself. */
export const SELF_FACADE = 'self'
export const SELF_BASE = '/sallyport'

/** Asks the control plane on behalf of an agent. `address`: null = it does not listen yet. */
export type SelfDeps = {
  readonly roster: Pick<Roster, 'agentOf'>
  readonly proofs: Pick<Proofs, 'prove'>
  /** Base URL of the control plane. */
  readonly controlPlane: () => string | null
}

const PATH = '/v1/self'
const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 1024 * 1024
const JSON_HEADERS: Headers = { 'content-type': 'application/json', 'x-should-retry': 'false' }

/** `GET /sallyport/v1/self`: what the agent is, and may do. The control plane is asked with a proof. Never rejects. */
export async function answerSelf(deps: SelfDeps, ask: Ask, client: ClientLeg): Promise<void> {
  const agent = ask.token === null ? null : deps.roster.agentOf(ask.token)
  if (agent === null) return refuse(client, 403, UNKNOWN_TOKEN.reason, `the request ${UNKNOWN_TOKEN.detail}`)
  if (ask.method !== 'GET' || ask.path !== PATH || ask.query !== '' || ask.body.length > 0)
    return refuse(client, 403, 'WIRE_ENDPOINT_UNKNOWN', `the request is not GET ${SELF_BASE}${PATH}`)
  const headers = await deps.proofs.prove(agent, 'control-plane', { method: 'GET', path: PATH, body: NOTHING })
  const base = deps.controlPlane()
  if (headers === null)
    return refuse(
      client,
      403,
      'IDENTITY_AGENT_INACTIVE',
      'the agent has no identity now: it may not act, or waits for a fresh key',
    )
  if (base === null) return refuse(client, 503, 'OVERLOADED', 'the control plane does not listen yet; ask again')
  try {
    const { status, body } = await get(base + PATH, headers)
    client.reply(status, JSON_HEADERS, body)
  } catch (error) {
    const code = error instanceof SallyportError ? error.code : 'UPSTREAM_FAILED'
    refuse(client, 502, code, 'the control plane did not answer')
  }
}

async function get(url: string, headers: Headers): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
  const response = await fetch(url, { headers: sent, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  const body = new Uint8Array(await response.arrayBuffer())
  if (body.length > MAX_ANSWER_BYTES) throw new SallyportError('UPSTREAM_FAILED', 'the control plane sent too much')
  return { status: response.status, body }
}

function refuse(client: ClientLeg, status: number, code: string, message: string): void {
  const body = JSON.stringify({ error: { code, message: `sallyport: ${code}: ${message}` } })
  client.reply(status, JSON_HEADERS, Buffer.from(body))
}

const NOTHING = new Uint8Array(0)
