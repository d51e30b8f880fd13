import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadReply, Measured, Phase } from './load.ts'

/** Core of the system under test, and core of load, mock and this process. */
export const SYSTEM_CORE = 0
export const LOAD_CORE = 1

/** `taskset -c CORE`, or nothing where there is no taskset. */
export function pinnedTo(core: number): readonly string[] {
  return canPin() ? ['taskset', '-c', String(core)] : []
}

let pinning: boolean | null = null

/** Are there two cores and a taskset? */
export function canPin(): boolean {
  if (pinning === null)
    try {
      execFileSync('taskset', ['-c', String(LOAD_CORE), 'true'], { stdio: 'ignore' })
      execFileSync('taskset', ['-c', String(SYSTEM_CORE), 'true'], { stdio: 'ignore' })
      pinning = true
    } catch {
      pinning = false
    }
  return pinning
}

/** Puts this process on the load's core, so that it does not disturb the system under test. */
export function pinSelf(): void {
  if (canPin()) execFileSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' })
}

const children = new Set<ChildProcess>()

/** Starts a process in its own group; {@link killAll} ends it. */
export function start(core: number, command: readonly string[], ipc = false): ChildProcess {
  const [program = '', ...args] = [...pinnedTo(core), ...command]
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? (['ipc'] as const) : [])],
    serialization: 'advanced',
    detached: true,
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Starts one of the bench's own programs and waits for the port that it prints. */
export async function startOwn(
  core: number,
  file: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = start(core, [process.execPath, pathOf(file), ...args], true)
  const line = await firstLine(child, file)
  return { child, port: Number(line) }
}

/** Runs one of the bench's own programs to its end; what it printed. */
export async function runOwn(core: number, file: string, args: readonly string[]): Promise<string> {
  const child = start(core, [process.execPath, pathOf(file), ...args])
  let out = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
  return out
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${what} ended with ${code} before it was ready`)))
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve)
  })
}

/** SIGTERM to a process, SIGKILL to its group 2 s later; waits until it is gone. */
export function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => killGroup(child), 2_000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

/** Ends everything that was started here and waits for it. */
export async function endAll(): Promise<void> {
  await Promise.all([...children].map(end))
}

const others: (() => Promise<void>)[] = []

/** {@link killAll} calls this too. */
export function endAtExit(kill: () => Promise<void>): void {
  others.push(kill)
}

/** Ends everything that was started here, at once: for an exit that cannot wait. */
export function killAll(): void {
  for (const kill of others) void kill()
  for (const child of children) killGroup(child)
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL') // the group is gone already
  }
}

/** The load client: runs one phase at a time. */
export type Load = { run(phase: Phase): Promise<Measured> }

/** Starts the load client on its core. */
export function startLoad(): Load {
  const child = start(LOAD_CORE, [process.execPath, pathOf('load.ts')], true)
  return {
    run: (phase) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(
          () => reject(new Error(`${phase.kind} did not end in time`)),
          phase.durationMs + 20_000,
        )
        child.once('message', (reply: LoadReply) => {
          clearTimeout(limit)
          if ('measured' in reply) resolve(reply.measured)
          else reject(new Error(`${phase.kind} against ${phase.url}: ${reply.error}`))
        })
        child.send(phase)
      }),
  }
}
