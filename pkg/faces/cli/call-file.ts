import { SallyportError } from '#pkg/model/errors'
import { nameOfInput, readInputText } from './input-file.ts'
import type { CliDeps } from './ports.ts'

/** A call as it is judged; a string is the text of the arguments as the model wrote it. */
export type CallFile = { readonly name: string; readonly arguments: unknown }

/** Of the file. The admin API takes 1 MiB. */
const MAX_BYTES = 768 * 1024

/**
 * Reads a call: `{"name","arguments"}`, or as OpenAI writes it: `{"type":"function","function":{"name","arguments":"…"}}`.
 * @throws SallyportError RESOURCE_INVALID
 */
export async function readCallFile(deps: CliDeps, file: string): Promise<CallFile> {
  const name = nameOfInput(file)
  const text = await readInputText(deps, file, MAX_BYTES)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new SallyportError('RESOURCE_INVALID', `${name}: not JSON: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
  const call = callOf(value)
  if (call === null)
    throw new SallyportError(
      'RESOURCE_INVALID',
      `${name}: not a call: it must be {"name":"…","arguments":{…}} or {"type":"function","function":{"name":"…","arguments":"…"}}`,
    )
  return call
}

function callOf(value: unknown): CallFile | null {
  if (!isObject(value)) return null
  const inner = isObject(value['function']) ? value['function'] : value
  const { name } = inner
  if (typeof name !== 'string' || name === '') return null
  const given = inner['arguments'] ?? {}
  return typeof given === 'string' || isObject(given) ? { name, arguments: given } : null
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
