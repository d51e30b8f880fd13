import { homedir } from 'node:os'
import { join } from 'node:path'

/** The name by which the cluster is known on the machine: its cgroups, its lock, its node. */
export const NAME = 'sallyport-cluster'

/** What is kept between runs: the binaries. SALLYPORT_CLUSTER_CACHE moves it. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['SALLYPORT_CLUSTER_CACHE']
  return chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache', 'sallyport', 'cluster')
}

/** The files of the running cluster: certificates, configs, logs, images. `down` removes the folder. */
export function rootFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(env), 'run')
}

/** Addresses inside the cluster's own network namespace; nothing outside it sees them. */
export const NETWORK = {
  node: { v4: '10.77.0.1', v6: 'fd77::1' },
  pods: { v4: '10.244.0.0/24', v6: 'fd77:244::/64' },
  services: { v4: '10.96.0.0/16', v6: 'fd77:96::/112' },
  firstService: { v4: '10.96.0.1', v6: 'fd77:96::1' },
  dns: { v4: '10.96.0.10', v6: 'fd77:96::a' },
} as const
