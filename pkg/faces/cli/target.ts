import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import type { Secret } from '#pkg/platform/log'
import { shellWord } from './called-as.ts'
import type { CliDeps, Globals } from './ports.ts'

/** Where a running process is asked. */
export type Target =
  | (Found & { readonly kind: 'socket'; readonly path: string; readonly dataDir: string })
  | (Found & { readonly kind: 'url'; readonly base: string; readonly token: Secret | null })

/** What faults call it, and the options by which another command finds it: nothing where it is the default. */
type Found = { readonly label: string; readonly where: string }

/** The socket of a process inside its data folder. DESIGN §8. */
export function socketPathOf(dataDir: string): string {
  return join(dataDir, 'admin.sock')
}

/** `--data DIR` for a command to paste, or nothing where the folder is the default one. */
export function whereOf(dataDir: string, usual: string): string {
  return dataDir === usual ? '' : `--data ${shellWord(dataDir)}`
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

/**
 * `--address` if it is given, else the socket in the data folder.
 * @throws SallyportError SETTINGS_INVALID with every fault.
 */
export async function readTarget(deps: CliDeps, globals: Globals): Promise<Target> {
  const settings = await import('#pkg/platform/settings')
  const spec = {
    data: settings.dataDirSetting(),
    address: settings.url<string | null>({ flag: 'address', default: null, doc: 'URL of the admin API.' }),
    token: settings.secret({ env: 'SALLYPORT_ADMIN_TOKEN', doc: 'Token of the admin API, for --address.' }),
  }
  const flags = { data: globals.data, address: globals.address }
  const otherEnv = Object.values(settings.upSettings).flatMap((row) => row.env ?? [])
  const env = await deps.env()
  const read = settings.readSettings(spec, { flags, env }, { otherEnv })
  if (!read.ok) throw settings.settingsError(read.faults)
  const { data, address, token } = read.values
  if (address === null) {
    const path = socketPathOf(data)
    return { kind: 'socket', path, dataDir: data, label: path, where: whereOf(data, settings.defaultDataDir(env)) }
  }
  const { protocol, hostname } = new URL(address)
  if (protocol === 'http:' && !LOOPBACK.includes(hostname))
    throw new SallyportError(
      'SETTINGS_INVALID',
      '--address: plain http only to this machine (127.0.0.1), or the token could be read on the way; use https or a tunnel',
    )
  return { kind: 'url', base: address, token, label: address, where: `--address ${shellWord(address)}` }
}

/**
 * The data folder, for a verb that reads its files and asks nobody. `verb`: how a fault calls it.
 * @throws SallyportError as readTarget; USAGE for `--address`: the files of another machine cannot be read.
 */
export async function readDataDir(deps: CliDeps, globals: Globals, verb: string): Promise<string> {
  const target = await readTarget(deps, globals)
  if (target.kind === 'socket') return target.dataDir
  throw new SallyportError('USAGE', `${verb} reads the files of the data folder: give --data, not --address`)
}
