import { readFile, stat } from 'node:fs/promises'
import { SallyportError } from '#pkg/model/errors'
import { printable } from './escape.ts'
import type { CliDeps } from './ports.ts'

/** How a file is named in a message. */
export function nameOfInput(file: string): string {
  return file === '-' ? 'stdin' : printable(file)
}

/**
 * The text of a file, or of stdin for `-`.
 * @throws SallyportError RESOURCE_INVALID: it is not there, larger than `maxBytes`, or no UTF-8
 */
export async function readInputText(deps: CliDeps, file: string, maxBytes: number): Promise<string> {
  try {
    if (file !== '-' && (await stat(file)).size > maxBytes) throw new Error(`larger than ${maxBytes} bytes`)
    const bytes = file === '-' ? await deps.stdin(maxBytes) : await readFile(file)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const { whyNotRead } = await import('#pkg/platform/files')
    const words = `${nameOfInput(file)}: cannot be read: ${whyNotRead(cause, file)}`
    throw new SallyportError('RESOURCE_INVALID', words, { cause })
  }
}
