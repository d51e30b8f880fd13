/** Redis and Postgres of this machine (Debian: redis-server, postgresql) on free loopback ports, in a folder of their own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A program that is not there. */
export class MissingError extends Error {}

export type Servers = { readonly redis: string; readonly postgres: string; stop(): Promise<void> }

type Account = { readonly uid: number; readonly gid: number }

const READY_MS = 30_000

/** Starts both; what has started is stopped again if the other does not. */
export async function startServers(): Promise<Servers> {
  const programs = findPrograms()
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-stores-'))
  const account = accountFor(dir)
  const children: ChildProcess[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const [redisPort, postgresPort] = [await freePort(), await freePort()]
    const start = (program: string, words: readonly string[]): void => {
      const child = spawn(program, [...words], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'], ...account })
      children.push(child)
    }
    start(programs.redis, [
      ...['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir],
      ...['--logfile', join(dir, 'redis.log')],
    ])
    const data = join(dir, 'postgres')
    const init = ['-D', data, '-U', 'sallyport', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    execFileSync(programs.initdb, init, { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'], ...account })
    start(programs.postgres, [
      ...['-D', data, '-p', String(postgresPort), '-h', '127.0.0.1', '-k', dir],
      ...['-c', 'log_min_messages=fatal', '-c', 'fsync=off'],
    ])
    await Promise.all([answers(redisPort, 'redis'), answers(postgresPort, 'postgres')])
    const postgres = `postgres://sallyport@127.0.0.1:${postgresPort}/postgres`
    return { redis: `redis://127.0.0.1:${redisPort}`, postgres, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function findPrograms(): { readonly redis: string; readonly initdb: string; readonly postgres: string } {
  const places = (process.env['PATH'] ?? '').split(delimiter)
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const find = (name: string, where: readonly string[], debianPackage: string): string => {
    const found = where.map((place) => join(place, name)).find((path) => existsSync(path))
    if (found === undefined)
      throw new MissingError(`${name} is not installed (Debian: apt-get install ${debianPackage})`)
    return found
  }
  const postgresPlaces = [...places, ...versions.map((version) => join(debian, version, 'bin'))]
  return {
    redis: find('redis-server', places, 'redis-server'),
    initdb: find('initdb', postgresPlaces, 'postgresql'),
    postgres: find('postgres', postgresPlaces, 'postgresql'),
  }
}

/** Postgres does not run as root: then both run as the account of its package, or as nobody, who gets the folder. */
function accountFor(dir: string): Partial<Account> {
  if (process.getuid?.() !== 0) return {}
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid === undefined || gid === undefined) continue
    const account = { uid: Number(uid), gid: Number(gid) }
    mkdirSync(dir, { recursive: true })
    chownSync(dir, account.uid, account.gid)
    return account
  }
  throw new MissingError('there is no account but root to run Postgres as')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

async function answers(port: number, name: string): Promise<void> {
  const end = performance.now() + READY_MS
  for (;;) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (there) return
    if (performance.now() > end) throw new Error(`${name} did not listen within ${READY_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve()
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
    child.once('exit', () => {
      clearTimeout(late)
      resolve()
    })
    child.kill('SIGINT') // fast shutdown of Postgres; Redis ends, too
  })
}
