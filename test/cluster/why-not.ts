/** Why a cluster cannot run here: one line of words for the caller to print before exit 69, or null where it can. */
import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { goVersion } from './binaries.ts'
import { cacheFolder } from './where.ts'

/** Program → the Debian package that holds it. */
const NEEDED: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  etcd: 'etcd-server',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  busybox: 'busybox-static',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  nsenter: 'util-linux',
  openssl: 'openssl',
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Looks at the system and the user: what every verb needs. */
export function whyNotAtAll(): string | null {
  if (process.platform !== 'linux')
    return 'it runs a real Kubernetes node: it needs Linux (elsewhere see kind-config.yaml)'
  return process.getuid?.() === 0 ? null : 'it makes namespaces and cgroups: run it as root'
}

/** Looks at the programs and Go too: what a start needs. */
export function whyNotHere(): string | null {
  const fault = whyNotAtAll()
  if (fault !== null) return fault
  if (/^\/(?:var|run)\//.test(cacheFolder()))
    return `its folder ${cacheFolder()} would be hidden by its own /var and /run: set SALLYPORT_CLUSTER_CACHE to another`
  const missing = new Set(
    Object.keys(NEEDED)
      .filter((program) => !onPath(program))
      .map((program) => NEEDED[program]),
  )
  if (!existsSync('/usr/lib/cni/bridge')) missing.add('containernetworking-plugins')
  if (missing.size > 0) return `it needs ${[...missing].join(', ')} (Debian: sh test/cluster/install.sh)`
  return goVersion() === null
    ? 'it builds Kubernetes: it needs the Go that test/cluster/kubernetes/go.mod asks for'
    : null
}
