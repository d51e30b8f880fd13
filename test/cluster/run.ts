/**
 * `make cluster-up`, `cluster-down`, `cluster-status`, `test-cluster`. Exit 0 done; 1 failed, everything taken down (of
 * status: not ready); 69 it cannot run here; 75 another up or down is under way.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { takeLock } from './lock.ts'
import { takeDown } from './machine.ts'
import { status } from './status.ts'
import { up } from './up.ts'
import { whyNotAtAll, whyNotHere } from './why-not.ts'

const say = (line: string): void => console.log(`cluster: ${line}`)

async function locked(verb: string, work: () => Promise<void>): Promise<number> {
  const holder = await takeLock(verb)
  if (holder !== null) {
    console.error(`cluster: not now, another is under way (${holder})`)
    return 75
  }
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      interrupted = true
      console.error(`cluster: ${verb} interrupted, taking it down`)
      void takeDown().finally(() => process.exit(1))
    })
  }
  try {
    await work()
    return 0
  } catch (error) {
    if (!interrupted) console.error(`cluster: ${verb} failed: ${error instanceof Error ? error.message : error}`)
    return 1
  }
}

async function main(verb: string | undefined): Promise<number> {
  const fault = verb === 'up' || verb === 'test' ? whyNotHere() : whyNotAtAll()
  if (fault !== null) {
    console.error(`cluster: ${fault}`)
    return 69
  }
  if (verb === 'up') return await locked('up', () => up(say))
  if (verb === 'down') {
    return await locked('down', async () => {
      const from = performance.now()
      const had = await takeDown()
      say(had ? `down in ${((performance.now() - from) / 1000).toFixed(1)} s` : 'nothing runs, nothing was left')
    })
  }
  if (verb === 'status') {
    const { ready, lines } = await status()
    say(lines.join('\n'))
    return ready ? 0 : 1
  }
  if (verb === 'test') {
    const file = join(import.meta.dirname, 'harness.test.ts')
    const child = spawn(process.execPath, ['--test', '--test-timeout=7200000', file], { stdio: 'inherit' })
    const [code] = await once(child, 'exit')
    return code ?? 1
  }
  console.error('cluster: up, down, status or test')
  return 64
}

process.exitCode = await main(process.argv[2])
