import { type CompileChecks, type Compiled, compile } from '#pkg/control/compile'
import type { ResourceFault, ResourceReader, Resources, SourceFile } from '#pkg/platform/resources'

/** What a reading of the folder led to. */
export type Reading = {
  readonly compiled: Compiled
  /** Faults of the newest texts; a file with one stands in its last good version. */
  readonly faults: readonly ResourceFault[]
}

type Kept = { readonly text: string; readonly resources: Resources }

/** The folder as the source of policies: the last good version of each file, compiled together. */
export class PolicySource {
  readonly #reader: ResourceReader
  readonly #checks: CompileChecks
  #good: ReadonlyMap<string, Kept> = new Map()
  #generation = 0

  constructor(reader: ResourceReader, checks: CompileChecks) {
    this.#reader = reader
    this.#checks = checks
  }

  /** Takes the files as they are now. A broken file keeps its last good version; a file that is gone is gone. */
  take(files: readonly SourceFile[]): Reading {
    const faults: ResourceFault[] = []
    const changed = new Set<string>()
    const candidate = new Map<string, Kept>()
    for (const file of files) {
      const before = this.#good.get(file.path)
      if (before?.text === file.text) {
        candidate.set(file.path, before)
        continue
      }
      const resources = this.#reader.read(file)
      faults.push(...resources.faults)
      if (resources.faults.length === 0) {
        candidate.set(file.path, { text: file.text, resources })
        changed.add(file.path)
      } else if (before !== undefined) candidate.set(file.path, before)
    }
    return this.#settle(candidate, changed, faults)
  }

  /** Compiles; as long as a changed file brings a fault, it steps back to its last good version. */
  #settle(candidate: Map<string, Kept>, changed: Set<string>, faults: ResourceFault[]): Reading {
    for (;;) {
      const compiled = this.#compile(candidate)
      const broken = new Set(compiled.faults.map((fault) => fault.file).filter((file) => changed.has(file)))
      faults.push(...compiled.faults.filter((fault) => broken.has(fault.file)))
      if (broken.size === 0) {
        this.#good = candidate
        return { compiled, faults: [...faults, ...compiled.faults] }
      }
      for (const file of broken) {
        changed.delete(file)
        const before: Kept | undefined = this.#good.get(file)
        if (before === undefined) candidate.delete(file)
        else candidate.set(file, before)
      }
    }
  }

  #compile(files: ReadonlyMap<string, Kept>): Compiled {
    this.#generation += 1
    const all = [...files.values()]
    return compile({
      policies: all.flatMap((file) => file.resources.policies),
      agents: all.flatMap((file) => file.resources.agents),
      generation: this.#generation,
      checks: this.#checks,
    })
  }
}
