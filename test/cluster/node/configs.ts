/**
 * The daemons' config files, written into the root folder before the node starts. Kubernetes reads YAML and JSON is
 * YAML, so they are plain objects; only containerd's is TOML. node/init.sh starts the daemons with them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NAME, NETWORK } from '../where.ts'

const CLIENTS = ['admin', 'kubelet', 'controller-manager', 'scheduler', 'kube-proxy'] as const

function kubeconfig(root: string, user: string): object {
  const pki = join(root, 'pki')
  const server = `https://${NETWORK.node.v4}:6443`
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster: { server, 'certificate-authority': join(pki, 'ca.crt') } }],
    users: [
      {
        name: user,
        user: { 'client-certificate': join(pki, `${user}.crt`), 'client-key': join(pki, `${user}.key`) },
      },
    ],
    contexts: [{ name: NAME, context: { cluster: NAME, user } }],
    'current-context': NAME,
  }
}

function kubelet(root: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(root, 'pki', 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(root, 'pki', 'kubelet-server.crt'),
    tlsPrivateKeyFile: join(root, 'pki', 'kubelet-server.key'),
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${NAME}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    clusterDomain: 'cluster.local',
    clusterDNS: [NETWORK.dns.v4, NETWORK.dns.v6],
    resolvConf: join(root, 'resolv.conf'),
    volumePluginDir: '/var/lib/kubelet/volumeplugins',
    // The machine's disk is not the node's to guard: a nearly full one must not evict the pods of a test.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
  }
}

function kubeProxy(root: string): object {
  const none = '0s'
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: join(root, 'kube-proxy.kubeconfig') },
    clusterCIDR: `${NETWORK.pods.v4},${NETWORK.pods.v6}`,
    // Zeros: the limits of connection tracking are the machine's, not the namespace's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: none, tcpCloseWaitTimeout: none },
  }
}

function cni(): object {
  const ranges = [[{ subnet: NETWORK.pods.v4 }], [{ subnet: NETWORK.pods.v6 }]]
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    hairpinMode: true,
    ipam: { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] },
  }
  const plugins = [bridge, { type: 'portmap', capabilities: { portMappings: true } }]
  return { cniVersion: '0.4.0', name: NAME, plugins }
}

/** The plugin `opt` would make /opt/containerd on the machine. */
function containerd(root: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${root}/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "/run/containerd/containerd.sock"
[${cri}]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${root}/cni"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`
}

/** Writes every config file of the node into `root`, which must exist. */
export function writeConfigs(root: string): void {
  const json = (name: string, value: object): void => writeFileSync(join(root, name), JSON.stringify(value, null, 2))
  for (const user of CLIENTS) json(`${user}.kubeconfig`, kubeconfig(root, user))
  json('kubelet.json', kubelet(root))
  json('kube-proxy.json', kubeProxy(root))
  mkdirSync(join(root, 'cni'))
  json('cni/10-bridge.conflist', cni())
  writeFileSync(join(root, 'containerd.toml'), containerd(root))
  writeFileSync(join(root, 'resolv.conf'), '')
}
