/** sallyctl: gives the command line its streams, its signals and its exit status. */
import { readFileSync } from 'node:fs'
import { openInBrowser, runCli } from '#pkg/faces/cli'

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

// `sallyctl verdicts | head -1` is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`sallyctl: stdout cannot be written (${error.code ?? 'unknown'})\n`)
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
process.stderr.on('error', () => {})

const status = await runCli(
  {
    version: manifest.version,
    env: async () => (await import('#pkg/platform/settings')).processEnv(),
    stdout: (text) => new Promise((resolve) => void process.stdout.write(text, () => resolve())),
    stderr: (text) => void process.stderr.write(text),
    stdin: readStdin,
    hasColors: process.stdout.isTTY === true && process.stdout.hasColors(),
    isTerminal: process.stderr.isTTY === true,
    isInteractive: process.stdin.isTTY === true,
    ...(process.stdout.isTTY === true ? { openInBrowser } : {}),
    onSignal: (listener) => {
      const signals = ['SIGINT', 'SIGTERM'] as const
      const handlers = signals.map((signal) => [signal, () => listener(signal)] as const)
      for (const [signal, handler] of handlers) process.on(signal, handler)
      return () => {
        for (const [signal, handler] of handlers) process.off(signal, handler)
      }
    },
    exitNow: (status) => process.exit(status),
  },
  process.argv.slice(2),
)
process.stdout.write('', () => process.exit(status)) // once what was printed has left

async function readStdin(maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes) throw new Error(`larger than ${maxBytes} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
