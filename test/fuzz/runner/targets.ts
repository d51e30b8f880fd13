import { readdirSync } from 'node:fs'
import type { Target } from './target.ts'

const folder = new URL('../', import.meta.url)

/** Every target of `test/fuzz`, or the named one. */
export async function loadTargets(name: string | null): Promise<readonly Target[]> {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
    .sort()
  const targets: Target[] = []
  for (const file of files) {
    const { target } = (await import(new URL(file, folder).href)) as { readonly target?: Target } // the folder's convention
    if (target === undefined) throw new Error(`test/fuzz/${file} exports no target`)
    targets.push(target)
  }
  return name === null ? targets : targets.filter((target) => target.name === name)
}
