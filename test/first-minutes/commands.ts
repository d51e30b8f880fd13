import { type ChildProcess, spawn } from 'node:child_process'

/** What a command did. */
export type Done = { readonly status: number; readonly out: string; readonly err: string }

/** Where and with what a command runs. */
export type Place = { readonly cwd: string; readonly env: Readonly<Record<string, string>> }

const MAX_OUT_CHARS = 4 * 1024 * 1024

/** Runs one command to its end, as a person would; kills its whole group after `timeoutMs`. */
export function command(place: Place, words: readonly string[], timeoutMs = 120_000): Promise<Done> {
  const [program = '', ...args] = words
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const timer = setTimeout(() => killGroup(child), timeoutMs)
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      out = (out + chunk).slice(-MAX_OUT_CHARS)
    })
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      err = (err + chunk).slice(-MAX_OUT_CHARS)
    })
    child.on('error', reject)
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve({ status: status ?? -1, out, err })
    })
  })
}

/** As {@link command}; throws with the end of what it said when it does not end with 0. */
export async function must(place: Place, words: readonly string[], timeoutMs?: number): Promise<string> {
  const { status, out, err } = await command(place, words, timeoutMs)
  if (status !== 0) throw new Error(`${words.join(' ')}: exit ${status}\n${(out + err).slice(-3_000)}`)
  return out
}

/** Ends a process and what it has started. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // it is gone already
  }
}
