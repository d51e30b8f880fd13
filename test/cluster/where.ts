import { homedir } from 'node:os'
import { join } from 'node:path'

/** The name by which everything of the cluster is known on the machine: its root folder, its cgroups, its node. */
export const NAME = 'sallyport-cluster'

/** What is kept between runs: binaries by key, and the lock. SALLYPORT_CLUSTER_CACHE moves it. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['SALLYPORT_CLUSTER_CACHE']
  return chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache', 'sallyport', 'cluster')
}

/** Everything of the one running cluster that is a file: certificates, configs, logs, images, pids. `down` removes it. */
export const ROOT = `/var/tmp/${NAME}`
