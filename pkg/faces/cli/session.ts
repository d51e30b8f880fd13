import type { HealthAnswer } from '#pkg/faces/admin'
import { type AgentKey, agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Client } from './client.ts'
import { escapeStrings, isSteering, jsonText, printable } from './escape.ts'
import type { CliDeps, Context, Format, Globals } from './ports.ts'

const DEFAULT_NAMESPACE = 'default'
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** A client of the process that the options name. */
export async function connect(context: Context, globals: Globals): Promise<Client> {
  const [{ readTarget }, { newClient }] = await Promise.all([import('./target.ts'), import('./client.ts')])
  return newClient(await readTarget(context.deps, globals), context.program)
}

/** The data folder of a process that does not run, if that is why the question failed: its files can still be read. */
export function folderLeftBy(error: unknown, client: Client): string | null {
  const absent = error instanceof SallyportError && error.code === 'UNREACHABLE' && error.fields['absent'] === true
  return absent ? client.dataDir : null
}

/** Says on stderr that an answer comes from files. */
export function tellOffline(deps: CliDeps, file: string): void {
  deps.stderr(`sallyctl: no process runs there; read from ${printable(file)}\n`)
}

/**
 * An agent that was named as `NAME` or `NAMESPACE/NAME`.
 * @throws SallyportError USAGE
 */
export function agentNamed(text: string, globals: Globals): AgentKey {
  const parts = text.split('/')
  const [namespace, name] = parts.length === 1 ? [globals.namespace ?? DEFAULT_NAMESPACE, text] : parts
  if (parts.length > 2 || !LABEL.test(namespace ?? '') || !LABEL.test(name ?? ''))
    throw new SallyportError(
      'USAGE',
      `"${printable(text)}" is not an agent: give NAME or NAMESPACE/NAME, both DNS labels`,
    )
  return agentKeyOf({ namespace: namespace ?? '', name: name ?? '' })
}

/** A value for programs. */
export async function valueText(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${jsonText(value)}\n`
  const { stringify } = await import('yaml')
  const text = stringify(value, { lineWidth: 0 })
  if (!isSteering(text)) return text
  return escapeStrings(
    stringify(value, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' }),
  )
}

/** Prints a value as the options say; `table` is asked only when a person reads. */
export async function print(
  deps: CliDeps,
  globals: Globals,
  value: unknown,
  table: (format: 'table' | 'wide') => string,
): Promise<void> {
  const format = formatOf(globals)
  await deps.stdout(format === 'json' || format === 'yaml' ? await valueText(value, format) : table(format))
}

/** The chosen format, or the table. */
export function formatOf(globals: Globals): Format {
  return globals.output ?? 'table'
}

/** Says on stderr that the folder of policies holds faults: what is in force is older than the files. */
export async function warnOfFaults(deps: CliDeps, client: Client): Promise<void> {
  const { policyFaults } = await client.get<HealthAnswer>('/healthz', 503)
  for (const fault of policyFaults)
    deps.stderr(
      `warning: ${printable(`${fault.file}:${fault.line}:${fault.column}: ${fault.message}`)} (not in force)\n`,
    )
}
