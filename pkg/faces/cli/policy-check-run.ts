import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '#pkg/control/compile'
import { SallyportError } from '#pkg/model/errors'
import { compileChecks } from '#pkg/platform/expr'
import {
  formatFault,
  newResourceReader,
  type ResourceFault,
  type Resources,
  type SourceFile,
} from '#pkg/platform/resources'
import { printableLines } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { print } from './session.ts'

/** A tool whose effects nobody declares: what its arguments do not show is judged as `custom.unknown`. POLICY.md "Intents". */
type UnknownTool = { readonly policy: string; readonly tool: string }

/** What `policy check -o json` prints. */
type Checked = {
  readonly ok: boolean
  readonly files: number
  readonly policies: number
  readonly agents: number
  readonly faults: readonly ResourceFault[]
  readonly warnings: readonly string[]
  readonly unknownTools: readonly UnknownTool[]
}

const BAD_INPUT = 65
/** As `up` chooses the files of its folder. */
const RESOURCE_FILE = /^[^.].*\.(?:ya?ml|json)$/

/** Checks all files together, as `up` would take them; faults make it end with 65. */
export async function checkPolicies(context: Context, globals: Globals, paths: readonly string[]): Promise<void> {
  const files = paths.flatMap(filesOf)
  if (files.length === 0)
    throw new SallyportError('RESOURCE_INVALID', 'no *.yaml, *.yml or *.json file is there: nothing was checked')
  const checked = check(files)
  await print(context.deps, globals, checked, () => printableLines(textOf(checked)))
  if (!checked.ok) context.exit(BAD_INPUT)
}

function filesOf(path: string): readonly SourceFile[] {
  try {
    if (!statSync(path).isDirectory()) return [{ path, text: readFileSync(path, 'utf8') }]
    const names = readdirSync(path)
      .filter((name) => RESOURCE_FILE.test(name))
      .sort()
    return names
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile())
      .map((file) => ({ path: file, text: readFileSync(file, 'utf8') }))
  } catch (cause) {
    throw new SallyportError('RESOURCE_INVALID', `cannot be read: ${path}`, { cause })
  }
}

function check(files: readonly SourceFile[]): Checked {
  const reader = newResourceReader()
  const read: readonly Resources[] = files.map((file) => reader.read(file))
  const policies = read.flatMap((one) => one.policies)
  const agents = read.flatMap((one) => one.agents)
  const compiled = compile({ policies, agents, generation: 1, checks: compileChecks })
  const faults = [...read.flatMap((one) => one.faults), ...compiled.faults]
  return {
    ok: faults.length === 0,
    files: files.length,
    policies: policies.length,
    agents: agents.length,
    faults,
    warnings: agents.length === 0 ? [] : compiled.warnings.map(formatFault), // without agents nothing can be selected
    unknownTools: policies.flatMap(unknownToolsOf),
  }
}

function unknownToolsOf(policy: Resources['policies'][number]): readonly UnknownTool[] {
  const granted = policy.value.spec.tools?.allow ?? []
  const silent = granted.filter((grant) => (grant.intents ?? []).length === 0)
  return silent.map((grant) => ({ policy: policy.key, tool: grant.name }))
}

function textOf(checked: Checked): string {
  const lines = [...checked.faults.map(formatFault), ...checked.warnings.map((warning) => `warning: ${warning}`)]
  for (const { policy, tool } of checked.unknownTools)
    lines.push(
      `note: ${policy}: tool "${tool}" declares no intents: what its arguments do not show is judged as custom.unknown`,
    )
  const counts = `${checked.files} files, ${checked.policies} policies, ${checked.agents} agents`
  lines.push(checked.ok ? `ok: ${counts}` : `${checked.faults.length} faults in ${counts}`)
  return `${lines.join('\n')}\n`
}
