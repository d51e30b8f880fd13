/** Scripts in Python beside their tests: a text in, one JSON value a line out. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Runs a script of this folder with INTEROP_PYTHON, else `python3`; its status has to be 0, and what it complains of is shown. */
export async function runPython<T>(script: string, input: string): Promise<T[]> {
  const python = process.env['INTEROP_PYTHON'] ?? 'python3'
  const child = spawn(python, [join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stdin.end(input)
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  assert.equal(status, 0)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T) // what our own script prints
}
