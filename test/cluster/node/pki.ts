/** The cluster's certificates: one authority, ten leaves, made anew at each start by openssl. In: a folder. Out: NAME.crt and NAME.key in it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NAME, NETWORK } from '../where.ts'

const run = promisify(execFile)
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']

interface Leaf {
  readonly name: string
  readonly subject: string
  /** subjectAltName: a server's. Without it the leaf is a client's. */
  readonly names?: readonly string[]
}

const { node, firstService } = NETWORK
const LEAVES: readonly Leaf[] = [
  {
    name: 'apiserver',
    subject: '/CN=kube-apiserver',
    names: [
      ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
      'localhost',
      ...[node.v4, node.v6, firstService.v4, firstService.v6, '127.0.0.1', '::1'],
    ],
  },
  { name: 'kubelet-server', subject: `/CN=${NAME}`, names: [NAME, node.v4, node.v6] },
  { name: 'kubelet', subject: `/O=system:nodes/CN=system:node:${NAME}` },
  { name: 'apiserver-kubelet-client', subject: '/O=system:masters/CN=apiserver-kubelet-client' },
  { name: 'admin', subject: '/O=system:masters/CN=admin' },
  { name: 'controller-manager', subject: '/CN=system:kube-controller-manager' },
  { name: 'scheduler', subject: '/CN=system:kube-scheduler' },
  { name: 'kube-proxy', subject: '/CN=system:kube-proxy' },
]

function sign(folder: string, leaf: Leaf): Promise<unknown> {
  const alt = leaf.names?.map((name) => `${/^[\d.]+$|:/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',')
  const usage =
    alt === undefined ? ['extendedKeyUsage=clientAuth'] : ['extendedKeyUsage=serverAuth', `subjectAltName=${alt}`]
  return run('openssl', [
    ...['req', '-x509', '-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), ...EC],
    ...['-subj', leaf.subject, '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...usage.flatMap((text) => ['-addext', text]),
    ...['-keyout', join(folder, `${leaf.name}.key`), '-out', join(folder, `${leaf.name}.crt`)],
  ])
}

/** Makes the authority, the leaves and the key pair that signs service-account tokens. */
export async function makeCertificates(folder: string): Promise<void> {
  const at = (name: string): string => join(folder, name)
  const subject = ['-subj', `/CN=${NAME}`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature']
  await run('openssl', ['req', '-x509', ...EC, ...subject, '-keyout', at('ca.key'), '-out', at('ca.crt')])
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('accounts.key')])
  await run('openssl', ['ec', '-in', at('accounts.key'), '-pubout', '-out', at('accounts.pub')])
  await Promise.all(LEAVES.map((leaf) => sign(folder, leaf)))
}
