import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '#pkg/control/compile'
import { SallyportError } from '#pkg/model/errors'
import { compileChecks } from '#pkg/platform/expr'
import { newResourceReader, type ResourceFault, type Resources, type SourceFile } from '#pkg/platform/resources'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { print } from './session.ts'

/** A tool whose effects nobody declares: what its arguments do not show is judged as `custom.unknown`. */
type UnknownTool = { readonly policy: string; readonly file: string; readonly line: number; readonly tool: string }

/** What `policy check -o json` prints. */
type Checked = {
  readonly ok: boolean
  readonly files: number
  readonly policies: number
  readonly agents: number
  readonly faults: readonly ResourceFault[]
  readonly unknownTools: readonly UnknownTool[]
}

const BAD_INPUT = 65
/** As `up` chooses the files of its folder. */
const RESOURCE_FILE = /^[^.].*\.(?:ya?ml|json)$/

/** Checks all files together, as `up` would take them; faults make it end with 65. */
export async function checkPolicies(context: Context, globals: Globals, paths: readonly string[]): Promise<void> {
  const files = paths.flatMap(filesOf)
  if (files.length === 0) throw new SallyportError('RESOURCE_INVALID', 'no YAML or JSON file was found there')
  const checked = check(files)
  await print(context.deps, globals, checked, () => textOf(checked))
  if (!checked.ok) context.exit(BAD_INPUT)
}
