/** `sallyctl up` for a process that is going to be killed: the same folders each time, new ports. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { SALLYCTL } from '../fixtures/run-cli.ts'
import type { Ready } from '../fixtures/sallyctl.ts'

export type Folders = { readonly policies: string; readonly data: string; readonly provider: string }

export type Up = {
  /** Resolves with the ready line; rejects with the log when it ends before, unless it was killed. */
  readonly ready: Promise<Ready>
  /** kill -9; resolves once it is gone. */
  kill(): Promise<void>
  /** SIGTERM; the exit status. */
  end(): Promise<number | null>
  /** True while nobody has ended it. */
  readonly runs: boolean
}

/** Starts it, and does not wait. */
export function up({ policies, data, provider }: Folders): Up {
  const origin = provider.replace(/\/v1$/, '')
  const upstreams = [`openai=${provider}`, `anthropic=${origin}`, `gemini=${origin}`].flatMap((one) => [
    '--upstream',
    one,
  ])
  const words = ['up', '--policies', policies, '--data', data, '--port', '0', '--admin-port', '0', '-o', 'json']
  const child = spawn(SALLYCTL, [...words, ...upstreams, '--limit', 'checkTimeoutMs=5000', '--log-level', 'warn'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: data, OPENAI_API_KEY: 'sk-crash' },
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-8_000)
  })
  const gone = once(child, 'exit')
  const ready = readyOf(child, () => log)
  ready.catch(() => {}) // one that is killed while it starts is missed by nobody
  return {
    ready,
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
    end: async () => {
      child.kill('SIGTERM')
      await gone
      return child.exitCode
    },
    get runs() {
      return child.exitCode === null && child.signalCode === null
    },
  }
}

async function readyOf(child: ChildProcess, log: () => string): Promise<Ready> {
  if (child.stdout === null) throw new Error('up has no output')
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as Ready // DESIGN §8
  throw new Error(`up ended before it was ready: ${log()}`)
}
