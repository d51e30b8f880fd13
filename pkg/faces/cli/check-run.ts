import { SallyportError } from '#pkg/model/errors'
import type { UpSettings } from '#pkg/platform/settings'
import { checkClock, checkProviders, type Reached } from './check-network.ts'
import { checkFolder, checkNode, checkPolicyFolder, checkPorts, checkProcess } from './check-place.ts'
import type { Checked } from './checked.ts'
import { printableLines } from './escape.ts'
import type { CliDeps, Context, UpOptions } from './ports.ts'
import { startProgress } from './progress.ts'
import { readUpSettings } from './read-up-settings.ts'
import { print } from './session.ts'

/** Options of `check` besides the global ones. */
type Options = UpOptions & { readonly offline?: boolean }

/** Looks at everything, says all of it, and ends with 1 if something stands in the way. */
export async function runCheck(context: Context, options: Options): Promise<void> {
  const { deps } = context
  if (options.address !== undefined)
    throw new SallyportError('USAGE', '--address: "check" looks at this machine; leave it out')
  const { offline, output, ...upOptions } = options
  const settings = await readUpSettings(deps, upOptions)
  const progress = startProgress(deps, options, 'looking at this machine')
  const checks = await look(deps, settings, offline === true, (text) => progress.say(text)).finally(() =>
    progress.stop(),
  )
  const ok = checks.every((one) => one.ok !== false)
  await print(deps, { ...options, ...(output === undefined ? {} : { output }) }, { ok, checks }, () => textOf(checks))
  if (!ok) context.exit(1)
}

async function look(
  deps: CliDeps,
  settings: UpSettings,
  isOffline: boolean,
  say: (text: string) => void,
): Promise<readonly Checked[]> {
  const { dataDir } = settings
  const running = await checkProcess(dataDir, deps.version)
  const ports = await checkPorts(settings, running.isRunning)
  say('asking the providers, without a key')
  const reached: readonly Reached[] = isOffline ? [] : await checkProviders(settings)
  return [
    checkNode(process.versions.node),
    running.checked,
    checkFolder(dataDir),
    checkPolicyFolder(settings.policies, dataDir),
    ...ports,
    ...reached.map(({ checked }) => checked),
    checkClock(reached),
  ]
}

function textOf(checks: readonly Checked[]): string {
  const lines = checks.flatMap(({ name, ok, detail, fix, doc }) => {
    const mark = ok === null ? '-' : ok ? '✓' : '✗'
    const more = [...(fix === null ? [] : [`    fix: ${fix}`]), ...(doc === null ? [] : [`    see: ${doc}`])]
    return [`${mark} ${name}: ${detail}`, ...more]
  })
  return printableLines(`${lines.join('\n')}\n`)
}
