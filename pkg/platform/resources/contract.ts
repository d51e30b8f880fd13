import type { Agent, AgentPolicy } from '#pkg/model/api'

/** One file, already read. `path` is what faults name. */
export type SourceFile = { readonly path: string; readonly text: string }

/** What kind of fault it is. */
export type FaultCode =
  | 'YamlSyntax'
  | 'TooLarge'
  | 'UnknownKind'
  | 'UnknownField'
  | 'Invalid'
  | 'Duplicate'
  | 'UnsupportedField'

/** One fault with its place; line and column begin at 1. */
export type ResourceFault = {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: FaultCode
  /** What, which field, which limit, what to do. */
  readonly message: string
}

/** A place in a resource: keys and positions from its root. */
export type FieldPath = readonly (string | number)[]

/** A fault of one value, by its field. `onKey`: the name of the field is at fault, not its value. */
export type FieldFault = {
  readonly path: FieldPath
  readonly code: FaultCode
  readonly message: string
  readonly onKey: boolean
}

/** One valid resource, its defaults filled in. */
export type Resource<T> = {
  /** `namespace/name`. */
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** RFC 3339, or null. */
  readonly createdAt: string | null
  readonly file: string
  readonly value: T
  /** Where a field stands, or the nearest field above it that does. */
  at(path: FieldPath): { readonly line: number; readonly column: number }
}

/** What one file holds. A resource with a fault is in `faults` alone. */
export type Resources = {
  readonly policies: readonly Resource<AgentPolicy>[]
  readonly agents: readonly Resource<Agent>[]
  readonly faults: readonly ResourceFault[]
}

/** Everything has a default. */
export type ReaderOptions = {
  /** Largest file, UTF-16 units. Default 2 Mi. */
  readonly maxFileLength?: number
  /**
   * Words, signs, indents and line ends of one file, as the YAML lexer counts them, `[`, `{` and `?` twice: what a read
   * costs. Default 350,000, under a second; 5,000 agents in one file have 325,000.
   */
  readonly maxTokens?: number
  /** Faults told of one file; a last one says that there are more. Default 100. */
  readonly maxFaults?: number
}

/** Reads files. Never throws for what they hold. */
export type ResourceReader = { read(file: SourceFile): Resources }

/** A fault in the form that editors follow: `file:line:column: message`. */
export function formatFault(fault: ResourceFault): string {
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`
}

/** The order in which a person mends faults: the files in the order of their names, each from its top. */
export function inOrder(faults: readonly ResourceFault[]): readonly ResourceFault[] {
  return faults.toSorted((a, b) => {
    if (a.file !== b.file) return a.file < b.file ? -1 : 1
    return a.line - b.line || a.column - b.column
  })
}

/** A path for a person: `spec.tools.allow[2].name`; on one line, whatever a key holds. */
export function formatPath(path: FieldPath): string {
  if (path.length === 0) return 'the resource'
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!/^[-\w]+$/.test(step)) text += `[${JSON.stringify(step.slice(0, 80))}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}
