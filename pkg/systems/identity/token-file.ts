import { dirname } from 'node:path'
import { type AgentKey, agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { makeFolder, type PrivateText, readPrivateText, replaceFile, whyNot } from '#pkg/platform/files'
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
  let read: PrivateText | null
  try {
    read = readPrivateText(path)
  } catch (error) {
    throw new SallyportError('STATE_UNAVAILABLE', `the token file ${path} cannot be read: ${whyNot(error, path)}`, {
      fields: { file: path },
      cause: error,
    })
  }
  if (read === null) return null
  if (read.loosened !== null) log.warn('tokens-mode-tightened', { file: path, from: read.loosened, to: '600' })
  return read.text
}

/** Puts the whole table in the place of the file, or leaves the old one: never something between. */
export function writeTokenFile(path: string, table: TokenTable): void {
  const lines = [HEADER]
  for (const [agent, token] of table) lines.push(`${agent} ${token}`)
  makeFolder(dirname(path))
  replaceFile(path, Buffer.from(`${lines.join('\n')}\n`))
}

function unreadable(path: string, line: number, what: string): SallyportError {
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `${path}:${line}: ${what}; put back a copy, or delete the file so that every agent gets a new token`,
    { fields: { file: path, line } },
  )
}
