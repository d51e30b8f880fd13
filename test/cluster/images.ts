/**
 * Container images without a registry or a builder: an OCI layout in a tar, made of files of this machine, handed to
 * the node's containerd. One layer, not compressed; the same files give the same digests.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { inNode } from './inside.ts'
import { rootFolder } from './where.ts'

const run = promisify(execFile)

/** What an image holds. Pods that use it set `imagePullPolicy: Never` or `IfNotPresent`. */
export interface Image {
  /** With host and tag, as `localhost/pause:1`. */
  readonly name: string
  /** Path in the image → file or folder on this machine. */
  readonly files: Readonly<Record<string, string>>
  /** Path in the image → what the symbolic link there points to. */
  readonly links?: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly user?: string
}

const pack = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']

async function layer(image: Image, folder: string): Promise<string> {
  const rootfs = join(folder, 'rootfs')
  mkdirSync(join(rootfs, 'tmp'), { recursive: true })
  chmodSync(join(rootfs, 'tmp'), 0o1777)
  for (const [path, from] of Object.entries(image.files)) {
    mkdirSync(dirname(join(rootfs, path)), { recursive: true })
    cpSync(from, join(rootfs, path), { recursive: true, dereference: true })
  }
  for (const [path, target] of Object.entries(image.links ?? {})) {
    mkdirSync(dirname(join(rootfs, path)), { recursive: true })
    symlinkSync(target, join(rootfs, path))
  }
  const file = join(folder, 'layer.tar')
  await run('tar', [...pack, '-cf', file, '-C', rootfs, '.'])
  rmSync(rootfs, { recursive: true })
  return file
}

/** Writes the image's tar into `folder`, which must be empty, and returns its path. */
export async function writeImage(image: Image, folder: string): Promise<string> {
  const layout = join(folder, 'layout')
  const blobs = join(layout, 'blobs', 'sha256')
  mkdirSync(blobs, { recursive: true })
  const layerFile = await layer(image, folder)
  const layerBytes = readFileSync(layerFile)
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  const layerDigest = digest(layerBytes)
  renameSync(layerFile, join(blobs, layerDigest))
  const blob = (kind: string, value: object): object => {
    const bytes = Buffer.from(JSON.stringify(value))
    writeFileSync(join(blobs, digest(bytes)), bytes)
    return {
      mediaType: `application/vnd.oci.image.${kind}.v1+json`,
      digest: `sha256:${digest(bytes)}`,
      size: bytes.length,
    }
  }
  const config = blob('config', {
    os: 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Entrypoint: image.entrypoint, Env: ['PATH=/bin:/usr/bin'], WorkingDir: '/', User: image.user ?? '' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
  })
  const layers = [
    { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${layerDigest}`, size: layerBytes.length },
  ]
  const manifest = blob('manifest', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers,
  })
  const annotations = { 'io.containerd.image.name': image.name }
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  )
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const file = join(folder, 'image.tar')
  await run('tar', [...pack, '-cf', file, '-C', layout, '.'])
  rmSync(layout, { recursive: true })
  return file
}

/** Makes the image known to the running node. Throws with ctr's words if the node refuses it. */
export async function importImage(image: Image): Promise<void> {
  const folder = mkdtempSync(join(rootFolder(), 'image-'))
  try {
    await inNode(['ctr', '-n', 'k8s.io', 'images', 'import', await writeImage(image, folder)])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const BUSYBOX = '/bin/busybox'
const SHELL_TOOLS = ['sh', 'cat', 'env', 'httpd', 'id', 'ls', 'mkdir', 'nc', 'nslookup', 'sleep']

/** What holds a pod's namespaces open: a shell that waits, reaps orphans, and ends at once when told to. */
export const PAUSE: Image = {
  name: 'localhost/pause:1',
  files: { '/bin/busybox': BUSYBOX },
  entrypoint: ['/bin/busybox', 'sh', '-c', 'trap "exit 0" TERM INT; while :; do sleep 3600 & wait $!; done'],
}

/** A shell with a web server and a client, for the pods of tests. No wget: that of Debian's static busybox crashes. */
export const TOOLS: Image = {
  name: 'localhost/tools:1',
  files: { '/bin/busybox': BUSYBOX },
  links: Object.fromEntries(SHELL_TOOLS.map((name) => [`/bin/${name}`, 'busybox'])),
  entrypoint: ['/bin/sh'],
}

/** Cluster DNS, from the folder where its binary is. */
export function corednsImage(folder: string): Image {
  return {
    name: 'localhost/coredns:1',
    files: { '/bin/coredns': join(folder, 'coredns') },
    entrypoint: ['/bin/coredns'],
  }
}
