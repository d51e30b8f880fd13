import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import type { HostAsk, OpenTunnel, Permit } from '#pkg/model'
import type { SallyportError } from '#pkg/model/errors'
import { newByteLeg } from '#pkg/platform/socket'
import { type FaultPlace, faultOf } from './faults.ts'
import { PermitStaleError } from './permit-stale.ts'

/** What dialling asks, and how long it waits. */
export type DialDeps = { isLive(permit: Permit): boolean; readonly connectTimeoutMs: number }

/** A `lookup` that knows the judged addresses and asks nobody. */
export function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_name, options, done) => {
    const [first] = all
    if (options.all === true) done(null, all)
    else if (first !== undefined) done(null, first.address, first.family)
    else done(new Error('no address'), '', 0)
  }
}

/** Connects to a host and to nothing but its judged addresses; the permit is asked again when the connection stands. */
export function newDial(deps: DialDeps): OpenTunnel {
  return async (permit, ask) => {
    if (!deps.isLive(permit)) throw new PermitStaleError(permit)
    const socket = await connected(ask, deps.connectTimeoutMs)
    if (deps.isLive(permit)) return newByteLeg(socket)
    socket.destroy()
    throw new PermitStaleError(permit)
  }
}

type DialAsk = Pick<HostAsk, 'target' | 'addresses' | 'signal'>

function connected({ target, addresses, signal }: DialAsk, timeoutMs: number): Promise<Socket> {
  const { host, port } = target
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, lookup: pinned(addresses), allowHalfOpen: true, noDelay: true })
    const timer = setTimeout(() => fail({ code: 'ETIMEDOUT' }), timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
      socket.off('error', fail)
    }
    const fail = (error: unknown): void => {
      settle()
      socket.on('error', () => {}) // told once
      socket.destroy()
      reject(dialFault(error, target, timeoutMs))
    }
    const cancel = (): void => fail({ code: 'UND_ERR_ABORTED' })
    socket.once('error', fail)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel, { once: true })
  })
}

function dialFault(error: unknown, target: HostAsk['target'], connectTimeoutMs: number): SallyportError {
  return faultOf(
    error,
    placeOf(target, { connectTimeoutMs, headersTimeoutMs: 0, bodyIdleTimeoutMs: 0, maxHeaderBytes: 0 }),
  )
}

/** What faults of this host may name: the policy names the host. */
export function placeOf(
  { host, port }: HostAsk['target'],
  limits: Omit<FaultPlace, 'provider' | 'label' | 'isHost'>,
): FaultPlace {
  return { provider: host, label: `${host.includes(':') ? `[${host}]` : host}:${port}`, isHost: true, ...limits }
}
