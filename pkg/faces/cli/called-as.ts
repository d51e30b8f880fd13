import { join, relative } from 'node:path'

/** One command line to paste: the program as it was called, the words, and the options that find the same process. */
export type Hint = (words: string) => string

/** The script of a clone, started by its launcher `./sallyctl` or by itself. */
const IN_CLONE = /^(.*)\/cmd\/sallyctl\/(?:sallyctl\.js|main\.ts)$/

/**
 * How a person calls this program again from `cwd` (null: a folder that is gone), quoted for a shell: `./sallyctl` in a clone, `node FILE` for the
 * bundle, else `sallyctl`. `script` is the file that was started.
 */
export function programOf(script: string | undefined, cwd: string | null): string {
  const root = script === undefined ? undefined : IN_CLONE.exec(script)?.[1]
  if (root !== undefined) return shellWord(shortest(join(root, 'sallyctl'), cwd))
  return script?.endsWith('.mjs') === true ? `node ${shellWord(shortest(script, cwd))}` : 'sallyctl'
}

/** Hints of a program; `where` are the options that find the process, each quoted, or nothing. */
export function hintsOf(program: string, where: string): Hint {
  return (words) => [program, words, where].filter((part) => part !== '').join(' ')
}

/** A text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** The folder in which the program was called, or null when it is gone. */
export function currentFolder(): string | null {
  try {
    return process.cwd()
  } catch {
    return null
  }
}

function shortest(path: string, cwd: string | null): string {
  if (cwd === null) return path
  const near = relative(cwd, path)
  return near.startsWith('..') ? path : `./${near}`
}
