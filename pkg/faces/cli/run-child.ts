import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { SallyportError } from '#pkg/model/errors'
import { printable } from './escape.ts'
import type { CliDeps } from './ports.ts'

/** As a shell says it: no such program, and one that may not be run. */
const NOT_FOUND = 127
const NOT_RUNNABLE = 126
/** A program that a signal ended has this status, plus the number of the signal. */
const SIGNALLED = 128

/**
 * Runs a program with the streams of this one, hands signals on, and resolves to its exit status once it has ended.
 * @throws SallyportError INTERNAL when it cannot even be tried.
 */
export function runChild(deps: CliDeps, words: readonly string[], env: Record<string, string>): Promise<number> {
  const [program = '', ...args] = words
  return new Promise((resolve, reject) => {
    let child: ChildProcess | null = null
    // before the program begins: it may tell somebody that it is there before this process goes on
    const stop = deps.onSignal((signal) => {
      // Ctrl-C on a terminal reaches the whole group by itself: twice would be a second one
      if (signal === 'SIGINT' && deps.isInteractive === true) return
      child?.kill(signal)
    })
    child = spawn(program, args, { env, stdio: 'inherit' })
    child.once('error', (error: NodeJS.ErrnoException) => {
      stop()
      const status = error.code === 'ENOENT' ? NOT_FOUND : error.code === 'EACCES' ? NOT_RUNNABLE : null
      if (status === null) return reject(new SallyportError('INTERNAL', 'the program cannot be run', { cause: error }))
      deps.stderr(`sallyctl: ${printable(program)} ${status === NOT_FOUND ? 'is not there' : 'may not be run'}\n`)
      resolve(status)
    })
    child.once('exit', (status, signal) => {
      stop()
      resolve(signal === null ? (status ?? 1) : SIGNALLED + constants.signals[signal])
    })
  })
}
