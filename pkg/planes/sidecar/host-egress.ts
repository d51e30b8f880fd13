import { type Ask, type ClientLeg, type ClientTunnel, findingOf, type Reason } from '#pkg/model'
import { plainHttp } from '#pkg/path/codec/dialect/plain-http'
import type { Rejected } from './egress.ts'
import type { Outcome } from './outcomes.ts'
import { plainEgress, rejectPlain } from './plain.ts'
import type { HostDeps } from './ports.ts'
import { type TunnelCounts, tunnelEgress } from './tunnel.ts'

/** The way to other hosts, and to what passes uninspected. None of it ever rejects. */
export type HostEgress = {
  /** One proxied request, whole. */
  handle(ask: Ask, client: ClientLeg): Promise<void>
  /** One request for an opaque connection; settles when that is over. */
  tunnel(ask: Ask, client: ClientTunnel): Promise<void>
  /** Refuses a proxied request that could not be read. */
  reject(ask: Rejected, reason: Reason, detail: string, client: ClientLeg): void
}

/** Makes the way to other hosts: the same judge, permits and records as {@link newEgress}, without a dialect to read. */
export function newHostEgress(deps: HostDeps): HostEgress {
  const counts: TunnelCounts = new Map()
  return {
    handle: async (ask, client) => {
      if (ask.target !== undefined) count(deps, await plainEgress(deps, ask, ask.target, client))
    },
    tunnel: async (ask, client) => count(deps, await tunnelEgress(deps, counts, ask, client)),
    reject: (ask, reason, detail, client) => {
      rejectPlain(deps, ask, findingOf(reason, 0, detail), client)
      count(deps, 'refused')
    },
  }
}

function count({ metrics }: HostDeps, outcome: Outcome): void {
  metrics.count('sallyport_requests_total', { dialect: plainHttp.name, outcome })
}
