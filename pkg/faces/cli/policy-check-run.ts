import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '#pkg/control/compile'
import { globMatches } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { compileChecks } from '#pkg/platform/expr'
import { whyNotRead } from '#pkg/platform/files'
import {
  formatFault,
  inOrder,
  newResourceReader,
  type ResourceFault,
  type Resources,
  type SourceFile,
} from '#pkg/platform/resources'
import { shellWord } from './called-as.ts'
import { printableLines } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { print } from './session.ts'

/**
 * A tool whose effects nobody declares: what its arguments do not show is judged as `custom.unknown`, which is let pass
 * unless an `intents.deny` lists it. `denied` says that a policy of the same namespace does. POLICY.md "Intents".
 */
type UnknownTool = { readonly policy: string; readonly tool: string; readonly denied: boolean }

/** What `policy check -o json` prints. */
export type Checked = {
  readonly ok: boolean
  readonly files: number
  readonly policies: number
  readonly agents: number
  readonly faults: readonly ResourceFault[]
  readonly warnings: readonly string[]
  readonly unknownTools: readonly UnknownTool[]
}

const BAD_INPUT = 65
/** Folders that a hint names. */
const NAMED_FOLDERS = 5
/** As `up` chooses the files of its folder. */
const RESOURCE_FILE = /^[^.].*\.(?:ya?ml|json)$/

/** Checks all files together, as `up` would take them; faults make it end with 65. */
export async function checkPolicies(context: Context, globals: Globals, paths: readonly string[]): Promise<void> {
  const files = paths.flatMap(resourceFilesOf)
  if (files.length === 0) throw nothingThere(context, paths)
  const checked = checkFiles(files)
  await print(context.deps, globals, checked, () => printableLines(textOf(checked)))
  if (!checked.ok) context.exit(BAD_INPUT)
}

/** The files of a path as `up` would take them. @throws SallyportError RESOURCE_INVALID */
export function resourceFilesOf(path: string): readonly SourceFile[] {
  let at = path
  try {
    if (!statSync(path).isDirectory()) return [{ path, text: readFileSync(path, 'utf8') }]
    const names = readdirSync(path)
      .filter((name) => RESOURCE_FILE.test(name))
      .sort()
    const files: SourceFile[] = []
    for (const name of names) {
      at = join(path, name)
      if (statSync(at).isFile()) files.push({ path: at, text: readFileSync(at, 'utf8') })
    }
    return files
  } catch (cause) {
    throw new SallyportError('RESOURCE_INVALID', `${at} cannot be read: ${whyNotRead(cause, at)}`, { cause })
  }
}

/** A folder is read as `up` reads it, without those inside: they would be other folders of policies. */
function nothingThere(context: Context, paths: readonly string[]): SallyportError {
  const folders = paths.flatMap(foldersWithFiles)
  const what = 'no *.yaml, *.yml or *.json file is there: nothing was checked'
  if (folders.length === 0) return new SallyportError('RESOURCE_INVALID', what)
  const command = [context.program, 'policy check', ...folders.slice(0, NAMED_FOLDERS).map(shellWord)].join(' ')
  return new SallyportError('RESOURCE_INVALID', `${what}; folders inside are not read, name them: "${command}"`, {
    fields: { folders: folders.length },
  })
}

function foldersWithFiles(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => join(path, entry.name))
      .filter((folder) => readdirSync(folder).some((name) => RESOURCE_FILE.test(name)))
      .sort()
  } catch {
    return [] // a folder that may not be listed is none to name
  }
}

/** Checks files together, as `up` would take them. */
export function checkFiles(files: readonly SourceFile[]): Checked {
  const reader = newResourceReader()
  const read: readonly Resources[] = files.map((file) => reader.read(file))
  const policies = read.flatMap((one) => one.policies)
  const agents = read.flatMap((one) => one.agents)
  const compiled = compile({ policies, agents, generation: 1, checks: compileChecks })
  const faults = inOrder([...read.flatMap((one) => one.faults), ...compiled.faults])
  return {
    ok: faults.length === 0,
    files: files.length,
    policies: policies.length,
    agents: agents.length,
    faults,
    // without agents nothing can be selected
    warnings: [...(agents.length === 0 ? [] : compiled.warnings), ...compiled.uninspected].map(formatFault),
    unknownTools: unknownToolsOf(policies),
  }
}

function unknownToolsOf(policies: Resources['policies']): readonly UnknownTool[] {
  const deniesUnknown = (policy: Resources['policies'][number]): boolean =>
    (policy.value.spec.intents?.deny ?? []).some((glob) => globMatches(glob, 'custom.unknown'))
  const denying = new Set(policies.filter(deniesUnknown).map((policy) => policy.namespace))
  return policies.flatMap((policy) => {
    const denied = denying.has(policy.namespace)
    const granted = policy.value.spec.tools?.allow ?? []
    const silent = granted.filter((grant) => grant.execution !== 'output' && (grant.intents ?? []).length === 0)
    return silent.map((grant) => ({ policy: policy.key, tool: grant.name, denied }))
  })
}

function textOf(checked: Checked): string {
  const lines = [...checked.faults.map(formatFault), ...checked.warnings.map((warning) => `warning: ${warning}`)]
  for (const { policy, tool } of checked.unknownTools.filter((one) => one.denied))
    lines.push(
      `note: ${policy}: tool "${tool}" declares no intents, and an intents.deny lists custom.unknown: a call whose arguments show no effect is refused; declare the intents of the tool`,
    )
  const counts = `${checked.files} files, ${checked.policies} policies, ${checked.agents} agents`
  lines.push(checked.ok ? `ok: ${counts}` : `${checked.faults.length} faults in ${counts}`)
  return `${lines.join('\n')}\n`
}
