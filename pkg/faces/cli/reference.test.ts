import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { ROOT } from '../../../test/fixtures/run-cli.ts'
import type { CliDeps } from './ports.ts'
import { newProgram } from './program.ts'

test('[CLI-09] docs/reference/cli.md has exactly the commands, options and statuses that exist', () => {
  const doc = readFileSync(join(ROOT, 'docs/reference/cli.md'), 'utf8')
  const program = newProgram(DEPS, () => {})
  const commands = leavesOf(program, '')
  const headings = [...doc.matchAll(/^## `sallyctl ([^`]+)`$/gm)].map((match) => match[1]?.replace(/ [[<A-Z].*$/, ''))
  assert.deepEqual(headings.sort(), commands.map((leaf) => leaf.path).sort())
  const documented = (text: string): readonly string[] =>
    [...new Set([...text.matchAll(/^\| `(?:-\w, )?(--[a-z0-9-]+)/gm)].map((match) => match[1] ?? ''))].sort()
  for (const { path, command } of commands) {
    const start = doc.search(new RegExp(`^## \`sallyctl ${path}\\b`, 'm'))
    const section = doc.slice(start).split(/\n## /)[0] ?? ''
    assert.deepEqual(documented(section), command.options.flatMap((option) => option.long ?? []).sort(), path)
  }
  const globals = doc.slice(doc.indexOf('## Options of every command')).split(/\n## /)[0] ?? ''
  assert.deepEqual(documented(globals), program.options.flatMap((option) => option.long ?? []).sort())
})

const DEPS: CliDeps = {
  version: '1.2.3',
  env: async () => ({}),
  stdout: async () => {},
  stderr: () => {},
  stdin: async () => new Uint8Array(),
  hasColors: false,
  onSignal: () => () => {},
  exitNow: () => assert.fail('exitNow'),
}

function leavesOf(command: Command, path: string): readonly { readonly path: string; readonly command: Command }[] {
  if (command.commands.length === 0) return [{ path, command }]
  const below = command.commands.flatMap((child) => leavesOf(child, `${path} ${child.name()}`.trim()))
  return command.registeredArguments.length === 0 ? below : [{ path, command }, ...below]
}
