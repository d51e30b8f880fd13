/** Commands inside the running node: in its namespaces, so that they end with it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findInit } from './machine.ts'
import { rootFolder } from './where.ts'

const run = promisify(execFile)
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/** The words that run a command inside: `nsenter …` before its own. Throws where no node runs. */
export function enter(words: readonly string[]): readonly string[] {
  const init = findInit()
  if (init === null) throw new Error('no cluster runs: make cluster-up')
  return ['nsenter', '--target', String(init), '--mount', '--net', '--pid', '--uts', '--ipc', '--', ...words]
}

/** The words of a kubectl call as the cluster's administrator. */
export function kubectlWords(words: readonly string[]): readonly string[] {
  const root = rootFolder()
  const own = ['--kubeconfig', join(root, 'admin.kubeconfig'), '--cache-dir', '/run/kubectl']
  return [join(root, 'bin', 'kubectl'), ...own, ...words]
}

/** Runs a command inside and returns what it printed. Throws with its standard error; default limit 60 s. */
export async function inNode(
  words: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  const [program = '', ...rest] = enter(words)
  const limits = { timeout: options.timeoutMs ?? 60_000, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' } as const
  const running = run(program, rest, limits)
  running.child.stdin?.end(options.input ?? '')
  return (await running).stdout
}

/** kubectl inside the node, as `kubectl(['get', 'nodes'])`. */
export function kubectl(
  words: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return inNode(kubectlWords(words), options)
}
