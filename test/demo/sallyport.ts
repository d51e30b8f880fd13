import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { AuditVerification } from '#pkg/systems/audit'

/** First line that `sallyctl up -o json` prints. DESIGN §8, "black box". */
type Ready = {
  readonly ready: true
  readonly facade: string
  readonly admin: string
  readonly adminToken: string
  readonly agents: readonly { readonly namespace: string; readonly name: string; readonly token: string }[]
}

/** One line of `sallyctl verdicts -o json`, as far as the demo reads it. */
export type VerdictLine = {
  readonly id: string
  readonly agent: string | null
  readonly dialect: string
  readonly tool: string | null
  readonly action: string
  readonly reasons: readonly string[]
  readonly us: number
}

/** A running `sallyctl up`. */
export type Sallyport = {
  readonly pid: number
  /** Spawn to ready, ms. */
  readonly startMs: number
  /** Where all facades are. */
  readonly facade: string
  /** What an agent gives its OpenAI SDK. */
  readonly baseUrl: string
  tokenOf(agent: string): string
  /** By `sallyctl verdicts`, as a person would ask. Oldest first. */
  verdicts(): Promise<readonly VerdictLine[]>
  /** What a command of `sallyctl` prints with `-o json`, asked of this process. Throws when its status is not 0. */
  ask<T>(...words: readonly string[]): Promise<T>
  /** What `sallyctl audit verify` finds in a folder, whether all is well or not. */
  verify(folder: string): Promise<AuditVerification>
  /** Its log, the last 64,000 characters; nothing with {@link SallyportOptions.logFile}. */
  log(): string
  /** SIGTERM; resolves with the exit status, or null when it had to be killed after 5 s. */
  stop(): Promise<number | null>
  /** At once. Resolves when it is gone. */
  kill(): Promise<void>
}

export type SallyportOptions = {
  /** Path of `./sallyctl`. */
  readonly command: string
  readonly policies: string
  readonly data: string
  /** Base URL of the OpenAI provider. */
  readonly upstream: string
  /** Base URLs of other providers by name. Default none. */
  readonly otherUpstreams?: Readonly<Record<string, string>>
  readonly providerKey: string
  /** Addresses of tool servers by name. Default none. */
  readonly toolServers?: Readonly<Record<string, string>>
  /** Addresses of other agents by name. Default none. */
  readonly peers?: Readonly<Record<string, string>>
  /** Command line put before the process, such as `taskset -c 0`. Default none. */
  readonly wrapper?: readonly string[]
  /** Gets {@link Sallyport.kill} as soon as there is a process, ready or not. */
  readonly onSpawn?: (kill: () => Promise<void>) => void
  /** Where its log goes. Default: kept in memory. */
  readonly logFile?: string
  /** Default 15,000. */
  readonly readyTimeoutMs?: number
}

const run = promisify(execFile)

/** Starts `sallyctl up` on free ports and waits for its ready line. Throws with the end of its log when it does not come. */
export async function startSallyport(options: SallyportOptions): Promise<Sallyport> {
  if (!existsSync(options.command)) throw new Error(`${options.command} is missing: run this from a whole clone`)
  const { policies, data, upstream } = options
  const args = ['up', '--policies', policies, '--data', data, '--port', '0', '--admin-port', '0']
  args.push('--upstream', `openai=${upstream}`, '-o', 'json')
  for (const [name, url] of Object.entries(options.otherUpstreams ?? {})) args.push('--upstream', `${name}=${url}`)
  for (const [name, url] of Object.entries(options.toolServers ?? {})) args.push('--mcp', `${name}=${url}`)
  for (const [name, url] of Object.entries(options.peers ?? {})) args.push('--a2a', `${name}=${url}`)
  const [program = options.command, ...before] = [...(options.wrapper ?? []), options.command]
  const started = performance.now()
  const child = spawn(program, [...before, ...args], {
    env: {
      ...process.env,
      OPENAI_API_KEY: options.providerKey,
      ANTHROPIC_API_KEY: options.providerKey,
      GEMINI_API_KEY: options.providerKey,
    },
    stdio: ['ignore', 'pipe', options.logFile === undefined ? 'pipe' : openSync(options.logFile, 'a')],
    detached: true, // its own group, so that the launcher and its child end together
  })
  const kill = () => killNow(child)
  let log = ''
  child.stderr?.on('data', (data) => {
    log = (log + data).slice(-64_000)
  })
  options.onSpawn?.(kill)
  try {
    const ready = await readyLine(child, () => log, options.readyTimeoutMs ?? 15_000)
    return {
      pid: child.pid ?? 0,
      startMs: performance.now() - started,
      facade: ready.facade,
      baseUrl: `${ready.facade}/openai/v1`,
      tokenOf: (name) => tokenOf(ready, name),
      verdicts: () => verdictsOf(options),
      ask: async (...words) => JSON.parse(await printed(options, words)),
      verify: (folder) => verified(options.command, folder),
      log: () => log,
      stop: () => stop(child),
      kill,
    }
  } catch (error) {
    await kill()
    throw error
  }
}

function tokenOf(ready: Ready, name: string): string {
  const found = ready.agents.find((agent) => agent.name === name)
  if (found === undefined) throw new Error(`sallyctl up lists no agent ${name}`)
  return found.token
}

async function verdictsOf(options: SallyportOptions): Promise<readonly VerdictLine[]> {
  return (await printed(options, ['verdicts']))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as VerdictLine) // the contract of DESIGN §8
}

async function printed({ command, data }: SallyportOptions, words: readonly string[]): Promise<string> {
  const args = [...words, '--data', data, '-o', 'json']
  const { stdout } = await run(command, args, { timeout: 15_000, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** Status 1 is an answer, too: what was changed. */
async function verified(command: string, folder: string): Promise<AuditVerification> {
  const args = ['audit', 'verify', '--data', folder, '-o', 'json']
  const { stdout } = await run(command, args, { timeout: 15_000 }).catch(
    (error: { code?: unknown; stdout: string }) => {
      if (error.code === 1) return error
      throw error
    },
  )
  return JSON.parse(stdout) as AuditVerification // the contract of docs/reference/cli.md
}

function readyLine(child: ChildProcess, log: () => string, timeoutMs: number): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => {
      clearTimeout(timer)
      const said = log().trim()
      reject(new Error(`sallyctl up ${what}${said === '' ? '' : `:\n${said.slice(-2_000)}`}`))
    }
    const timer = setTimeout(() => fail(`was not ready after ${timeoutMs} ms`), timeoutMs)
    child.once('error', (error) => fail(`did not start (${error.message})`))
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? `status ${code}`} before it was ready`))
    if (child.stdout === null) return fail('has no output')
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer)
      try {
        resolve(JSON.parse(line) as Ready) // the contract of DESIGN §8
      } catch {
        fail(`printed something else than its ready line: ${line.slice(0, 200)}`)
      }
    })
  })
}

function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), 5_000)
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve(code)
    })
    child.kill('SIGTERM')
  })
}

/** The signal goes out before this returns; the promise is for those who can wait for the end. */
function killNow(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  killGroup(child, 'SIGKILL')
  return gone
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    child.kill(signal) // the group is gone already
  }
}
