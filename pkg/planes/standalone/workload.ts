import { createServer, type Server } from 'node:net'
import type { AgentKey, Snapshot, Standing } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import { listenOnUnixSocket, type SocketUse } from '#pkg/platform/socket'
import { loadWorkloadApi, readBundle, verifyJwtSvid, type WorkloadSource } from '#pkg/systems/identity'
import type { Identity } from './identity.ts'
import type { Advice } from './ports.ts'

/** What the sockets serve from. */
export type WorkloadDeps = {
  readonly clock: { nowMs(): number }
  readonly log: Log
  readonly identity: Identity
  readonly agents: () => readonly AgentKey[]
  readonly snapshotOf: (agent: AgentKey) => Snapshot | null
  readonly standingOf: (agent: AgentKey) => Standing | null
}

/** The sockets, listening. */
export type WorkloadSockets = {
  /** The rules have changed: who may no longer have an identity loses the stream. */
  review(): void
  /** The sockets on which nobody is served by the rules of now, and why. */
  advice(): readonly Advice[]
  close(): Promise<void>
}

const NONE: WorkloadSockets = { review: () => {}, advice: () => [], close: async () => {} }
const WORKLOAD_SOCKET: SocketUse = { name: 'the workload socket', option: '--workload-socket' }
const MAX_CONNECTIONS = 32

/**
 * Serves the SPIFFE Workload API: each socket is one agent's, and whoever can open it is that agent (mode 0600). The policy has
 * to open it, too. Loads nothing where there is no socket. MESH.md §1.
 * @throws SallyportError SETTINGS_INVALID, STATE_UNAVAILABLE, UNREACHABLE
 */
export async function openWorkloadSockets(
  deps: WorkloadDeps,
  sockets: Readonly<Record<string, string>>,
): Promise<WorkloadSockets> {
  const wanted = Object.entries(sockets)
  if (wanted.length === 0) return NONE
  const [{ newRpcServer }, api] = await Promise.all([import('#pkg/platform/rpc'), loadWorkloadApi()])
  const listeners = new Set<() => void>()
  const opened: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const shut of opened.reverse()) await shut()
  }
  try {
    for (const [name, path] of wanted) {
      const rpc = newRpcServer(deps)
      rpc.add(api.WORKLOAD_SERVICE, api.newWorkloadHandlers(sourceOf(deps, name, listeners)))
      const server = createServer((socket) => {
        socket.on('error', () => {}) // the caller is gone
        rpc.serve(socket)
      })
      server.maxConnections = MAX_CONNECTIONS
      opened.push(() => shut(server, () => rpc.close()))
      await listenOnUnixSocket(server, path, WORKLOAD_SOCKET)
      deps.log.info('workload-socket', { path, agent: name === '' ? null : name })
    }
  } catch (error) {
    await close()
    throw error
  }
  const review = (): void => {
    for (const listener of [...listeners]) listener()
  }
  return { review, advice: () => wanted.flatMap(([name, path]) => adviceOn(deps, name, path)), close }
}

function adviceOn(deps: WorkloadDeps, name: string, path: string): readonly Advice[] {
  const found = servedOn(deps, name)
  if ('agent' in found) return []
  const message = `nobody is served on the workload socket ${path}: ${found.why}`
  return [{ code: 'WORKLOAD_SOCKET_UNSERVED', agent: found.whom, message }]
}

async function shut(server: Server, end: () => void): Promise<void> {
  end()
  if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
}

type Served = { readonly agent: AgentKey } | { readonly whom: AgentKey | null; readonly why: string }

/** The agent of a socket whose policy opens the API, or why there is none. */
function servedOn(deps: Pick<WorkloadDeps, 'agents' | 'snapshotOf'>, name: string): Served {
  const agents = deps.agents()
  const agent = name === '' ? agents[0] : agents.find((one) => one === name)
  if (agent === undefined) return { whom: null, why: name === '' ? 'there is no agent' : `there is no agent "${name}"` }
  if (name === '' && agents.length > 1)
    return {
      whom: null,
      why: 'there are several agents: give the socket to one with --workload-socket NAMESPACE/NAME=PATH',
    }
  const snapshot = deps.snapshotOf(agent)
  if (snapshot === null || snapshot.denyAll) return { whom: agent, why: `no policy selects ${agent}` }
  if (snapshot.workloadApi === 'Open') return { agent }
  const policies = snapshot.policies.join(', ')
  return {
    whom: agent,
    why: `the policies of ${agent} do not open the Workload API (${policies}: set pod.workloadApi: Open)`,
  }
}

/** One socket's view: everything is asked for again at each call. */
function sourceOf(deps: WorkloadDeps, name: string, listeners: Set<() => void>): WorkloadSource {
  const { identity, clock } = deps
  const denied = (message: string): SallyportError => new SallyportError('IDENTITY_DENIED', message)
  /** The agent whose policy opens the API. */
  const agentNow = (): AgentKey => {
    const found = servedOn(deps, name)
    if ('agent' in found) return found.agent
    throw denied(found.why)
  }
  const bundleNow = () => {
    agentNow()
    return identity.authority.bundle()
  }
  return {
    identity: async () => {
      const agent = agentNow()
      const held = await identity.identities.get(agent)
      if (held !== null) return held
      throw denied(`${agent} may have no identity now: it is ${deps.standingOf(agent)?.state ?? 'unknown'}`)
    },
    tokenFor: async (held, audience, others) => (await identity.identities.tokenFor(held, audience, others)).token,
    bundle: () => {
      const { keys } = bundleNow()
      return {
        trustDomain: identity.authority.trustDomain,
        x509: keys.flatMap(({ use, x5c }) =>
          use === 'x509-svid' && x5c !== undefined ? [Buffer.from(x5c[0], 'base64')] : [],
        ),
        jwt: { keys: keys.filter(({ use }) => use === 'jwt-svid') },
      }
    },
    validate: (token, audience) => {
      const bundle = readBundle(identity.authority.trustDomain, JSON.stringify(bundleNow()))
      if (typeof bundle === 'string') return bundle
      const verdict = verifyJwtSvid(token, { bundle, audience, nowMs: clock.nowMs() })
      if (!verdict.ok) return verdict.reason
      if (!identity.isCurrent(verdict.svid.spiffeId, verdict.svid.epoch)) return 'REVOKED'
      return { spiffeId: verdict.svid.spiffeId, claims: JSON.parse(payloadOf(token)) }
    },
    onChange: (listener) => {
      const stops = [
        identity.identities.onChange((agent) => {
          if (name === '' || agent === name) listener()
        }),
        identity.authority.onChange(listener),
      ]
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        for (const stop of stops) stop()
      }
    },
  }
}

function payloadOf(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
}
