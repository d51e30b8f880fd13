import { accessSync, constants, existsSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { VersionAnswer } from '#pkg/faces/admin'
import { SallyportError } from '#pkg/model/errors'
import type { UpSettings } from '#pkg/platform/settings'
import { bad, type Checked, good, unknown } from './checked.ts'
import { newClient } from './client.ts'
import { counted } from './plural.ts'
import { checkFiles, resourceFilesOf } from './policy-check-run.ts'
import { starterFolderOf } from './starter.ts'
import { socketPathOf } from './target.ts'

const CLI = 'docs/reference/cli.md'
/** Files in a data folder that only their owner may read. */
const PRIVATE_FILE = /^(?:tokens|state\.jsonl|verdicts.*\.jsonl|observed\.json)$/

/** Is this Node new enough to run from the clone? */
export function checkNode(version: string): Checked {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 12)) return good('node', version)
  return bad('node', `${version} is too old`, { fix: 'use Node >= 24.12, or run "make setup"', doc: `${CLI}#sallyctl` })
}

/** Does a process run on the data folder, and is it of this version? */
export async function checkProcess(
  dataDir: string,
  version: string,
): Promise<{ readonly checked: Checked; readonly isRunning: boolean }> {
  const path = socketPathOf(dataDir)
  try {
    const client = newClient({ kind: 'socket', path, dataDir, label: path, where: '' }, 'sallyctl')
    const answer = await client.get<VersionAnswer>('/v1/version')
    if (answer.version === version) return { isRunning: true, checked: good('process', `runs, version ${version}`) }
    const detail = `runs in version ${answer.version}, this is ${version}`
    const fix = 'stop it and start it again'
    return { isRunning: true, checked: bad('process', detail, { fix, doc: `${CLI}#sallyctl-up` }) }
  } catch (error) {
    const absent = error instanceof SallyportError && error.fields['absent'] === true
    if (absent) return { isRunning: false, checked: good('process', 'none runs on this data folder') }
    const message = error instanceof Error ? error.message : 'unknown fault'
    const forbidden = error instanceof SallyportError && error.code === 'ADMIN_UNAUTHORIZED'
    if (!forbidden) return { isRunning: false, checked: unknown('process', message) }
    const fix = 'run this as the user that started it'
    return { isRunning: true, checked: bad('process', message, { fix, doc: `${CLI}#exit-statuses` }) }
  }
}

/** May the data folder be written, and by nobody else? One that is not there is looked at where it would be made. */
export function checkFolder(dataDir: string): Checked {
  const doc = 'ARCHITECTURE.md#where-state-lives'
  const there = nearestThere(dataDir)
  try {
    if (!statSync(there).isDirectory()) throw new Error('it is no folder')
    accessSync(there, constants.W_OK | constants.X_OK)
    if (there !== dataDir) return good('data folder', `${dataDir} will be made`)
    const loose = [
      dataDir,
      ...readdirSync(dataDir)
        .filter((name) => PRIVATE_FILE.test(name))
        .map((name) => join(dataDir, name)),
    ].filter((path) => (lstatSync(path).mode & 0o077) !== 0)
    const [first] = loose
    if (first === undefined) return good('data folder', dataDir)
    return bad('data folder', `others may look into ${first}`, { fix: `chmod go= ${first}`, doc })
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown fault'
    return bad('data folder', `${there} cannot be used: ${why}`, {
      fix: 'repair its rights, or choose another --data',
      doc,
    })
  }
}

function nearestThere(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestThere(dirname(path))
}

/** Would "up" take these policies? */
export function checkPolicyFolder(given: string | null, dataDir: string): Checked {
  const dir = given ?? starterFolderOf(dataDir)
  if (given === null && !existsSync(dir)) return good('policies', `"up" will make a starter in ${dir}`)
  const doc = `${CLI}#sallyctl-policy-check-file`
  const fix = `see "policy check ${dir}"`
  try {
    const files = resourceFilesOf(dir)
    const { ok, faults, policies, agents } = checkFiles(files)
    if (!ok) return bad('policies', `${counted(faults.length, 'fault')} in ${dir}`, { fix, doc })
    if (policies === 0)
      return bad('policies', `none in ${dir}: every request is refused`, { fix: 'write an AgentPolicy', doc })
    return good('policies', `${counted(policies, 'policy', 'policies')} and ${counted(agents, 'agent')} in ${dir}`)
  } catch (error) {
    return bad('policies', error instanceof Error ? error.message : 'unknown fault', {
      fix: 'give a folder that is there',
      doc,
    })
  }
}

/** Can "up" listen? Not asked where a process of this folder already does. */
export async function checkPorts(
  settings: Pick<UpSettings, 'port' | 'adminPort'>,
  isRunning: boolean,
): Promise<readonly Checked[]> {
  const rows: readonly (readonly [name: string, port: number, flag: string])[] = [
    ['port', settings.port, '--port'],
    ['admin port', settings.adminPort, '--admin-port'],
  ]
  const looks = rows.map(async ([name, port, flag]): Promise<Checked> => {
    if (isRunning) return unknown(name, 'not looked at: a process runs')
    const fault = await listenFault(port)
    if (fault === null) return good(name, port === 0 ? 'a free one' : `${port} is free`)
    const fix = `stop what listens there, or choose another ${flag} (0 = a free one)`
    return bad(name, `127.0.0.1:${port} cannot be had (${fault})`, { fix, doc: `${CLI}#sallyctl-up` })
  })
  return await Promise.all(looks)
}

function listenFault(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown fault'))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(null)))
  })
}
