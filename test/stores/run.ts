/** `make test-stores`: the contract of the stores on the real servers. Exit 69 where they are not installed. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { MissingError, type Servers, startServers } from './servers.ts'

const TEST = join(import.meta.dirname, 'real.test.ts')

async function run(): Promise<number> {
  let servers: Servers
  try {
    servers = await startServers()
  } catch (error) {
    if (!(error instanceof MissingError)) throw error
    console.error(`test-stores: ${error.message}`)
    return 69
  }
  const stop = (): void => void servers.stop().then(() => process.exit(130))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const env = { ...process.env, STORES_REDIS: servers.redis, STORES_POSTGRES: servers.postgres }
    const child = spawn(process.execPath, ['--test', '--test-timeout=120000', TEST], { stdio: 'inherit', env })
    return await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
  } finally {
    await servers.stop()
  }
}

process.exitCode = await run()
