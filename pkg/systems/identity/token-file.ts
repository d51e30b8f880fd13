import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type AgentKey, agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import { TOKEN_SHAPE } from './token-maker.ts'

/** Every token that was ever made here, also of agents that are gone. */
export type TokenTable = ReadonlyMap<AgentKey, string>

const HEADER = '# sallyport tokens 1: namespace/name token'
const AGENT_SHAPE = /^([a-z0-9][a-z0-9.-]*)\/([a-z0-9][a-z0-9.-]*)$/

/**
 * The tokens of a file; none when there is no file. Bits that let others read it are taken away, with a warning.
 * @throws SallyportError STATE_UNAVAILABLE
 */
export function readTokenFile(path: string, log: Log): TokenTable {
  const text = readPrivately(path, log)
  if (text === null) return new Map()
  const lines = text.split('\n')
  if (lines[0] !== HEADER || lines.at(-1) !== '')
    throw unreadable(path, 1, 'it is not a whole token file of this version')
  const table = new Map<AgentKey, string>()
  const seen = new Set<string>()
  for (const [at, line] of lines.slice(1, -1).entries()) {
    const [agent = '', token = '', ...rest] = line.split(' ')
    const name = AGENT_SHAPE.exec(agent)
    if (name === null || !TOKEN_SHAPE.test(token) || rest.length > 0)
      throw unreadable(path, at + 2, 'the line is not "namespace/name sp_vk_…"')
    const key = agentKeyOf({ namespace: name[1] ?? '', name: name[2] ?? '' })
    if (table.has(key) || seen.has(token)) throw unreadable(path, at + 2, 'the agent or its token stands there twice')
    table.set(key, token)
    seen.add(token)
  }
  return table
}

function readPrivately(path: string, log: Log): string | null {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new SallyportError('STATE_UNAVAILABLE', `the token file ${path} cannot be read`, {
      fields: { file: path },
      cause: error,
    })
  }
  try {
    const mode = fstatSync(fd).mode & 0o777
    if ((mode & 0o077) !== 0) {
      chmodSync(path, 0o600)
      log.warn('tokens-mode-tightened', { file: path, from: mode.toString(8), to: '600' })
    }
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** Puts the whole table in the place of the file, or leaves the old one: never something between. */
export function writeTokenFile(path: string, table: TokenTable): void {
  const lines = [HEADER]
  for (const [agent, token] of table) lines.push(`${agent} ${token}`)
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  const fd = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(fd, `${lines.join('\n')}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, path)
  syncFolder(folder)
}

/** A rename lasts once its folder is on the disk. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function unreadable(path: string, line: number, what: string): SallyportError {
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `${path}:${line}: ${what}; put back a copy, or delete the file so that every agent gets a new token`,
    { fields: { file: path, line } },
  )
}
