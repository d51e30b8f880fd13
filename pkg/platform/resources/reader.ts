import { type Document, isCollection, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from 'yaml'
import type { Agent, AgentPolicy } from '#pkg/model/api'
import { nearest } from '#pkg/platform/settings'
import type {
  FieldPath,
  ReaderOptions,
  Resource,
  ResourceFault,
  ResourceReader,
  Resources,
  SourceFile,
} from './contract.ts'
import { metadataOf } from './metadata.ts'
import { AGENT_POLICY_SCHEMA, AGENT_SCHEMA } from './schema.gen.ts'
import { newValidate, type Validate } from './validate.ts'

const API_VERSION = 'sallyport.dev/v1alpha1'
const KINDS = ['AgentPolicy', 'Agent'] as const

/** An alias is a convenience; a thousand of them is an attack. */
const MAX_ALIASES = 64

/** One document while it is read. */
type Draft = { readonly file: string; readonly document: Document.Parsed; readonly lines: LineCounter }

/** Makes a reader. Schemas are compiled at the first resource of their kind. */
export function newResourceReader(options: ReaderOptions = {}): ResourceReader {
  const maxFileLength = options.maxFileLength ?? 16 * 1024 * 1024
  const maxFaults = options.maxFaults ?? 100
  const validators = { AgentPolicy: newValidate(AGENT_POLICY_SCHEMA), Agent: newValidate(AGENT_SCHEMA) }
  return {
    read: (file) => {
      if (file.text.length > maxFileLength) {
        const message = `the file is ${file.text.length} characters long, ${maxFileLength} are read; split it`
        return {
          policies: [],
          agents: [],
          faults: [{ file: file.path, line: 1, column: 1, code: 'TooLarge', message }],
        }
      }
      return bounded(readFile(file, validators), file.path, maxFaults)
    },
  }
}

function bounded(resources: Resources, file: string, maxFaults: number): Resources {
  const more = resources.faults.length - maxFaults
  if (more <= 0) return resources
  const last: ResourceFault = { file, line: 1, column: 1, code: 'Invalid', message: `and ${more} more faults` }
  return { ...resources, faults: [...resources.faults.slice(0, maxFaults), last] }
}

function readFile(file: SourceFile, validators: Readonly<Record<(typeof KINDS)[number], Validate>>): Resources {
  const lines = new LineCounter()
  const documents = parseAllDocuments(file.text, {
    lineCounter: lines,
    uniqueKeys: true,
    version: '1.2',
    prettyErrors: false,
  })
  const policies: Resource<AgentPolicy>[] = []
  const agents: Resource<Agent>[] = []
  const faults: ResourceFault[] = []
  const seen = new Set<string>()
  for (const document of Array.isArray(documents) ? documents : []) {
    const draft: Draft = { file: file.path, document, lines }
    const read = readDocument(draft, validators)
    faults.push(...read.faults)
    if (read.kind === null || read.resource === null) continue
    const key = `${read.kind} ${read.resource.key}`
    if (seen.has(key)) {
      faults.push(faultAt(draft, ['metadata', 'name'], 'Duplicate', `${key} stands in this file twice`))
      continue
    }
    seen.add(key)
    // the validator of its kind has passed it
    if (read.kind === 'AgentPolicy') policies.push(read.resource as Resource<AgentPolicy>)
    else agents.push(read.resource as Resource<Agent>)
  }
  return { policies, agents, faults }
}

type Read = {
  readonly kind: (typeof KINDS)[number] | null
  readonly resource: Resource<unknown> | null
  readonly faults: readonly ResourceFault[]
}

function readDocument(draft: Draft, validators: Readonly<Record<(typeof KINDS)[number], Validate>>): Read {
  const nothing = (...faults: ResourceFault[]): Read => ({ kind: null, resource: null, faults })
  const { document, lines, file } = draft
  if (document.errors.length > 0) {
    return nothing(
      ...document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0])
        return { file, line, column: col, code: 'YamlSyntax', message: error.message } as const
      }),
    )
  }
  const value = plainOf(document)
  if (value === TOO_MANY_ALIASES) return nothing(faultAt(draft, [], 'TooLarge', `more than ${MAX_ALIASES} aliases`))
  if (value === null || value === undefined) return nothing()
  if (typeof value !== 'object' || Array.isArray(value)) {
    return nothing(faultAt(draft, [], 'Invalid', 'a resource is an object with apiVersion, kind, metadata and spec'))
  }
  const object = value as Record<string, unknown> // checked in the lines above
  const kind = kindOf(draft, object)
  if (typeof kind !== 'string') return nothing(kind)
  const metadata = metadataOf(object['metadata'])
  const faults = metadata.faults.map(({ path, message }) => faultAt(draft, ['metadata', ...path], 'Invalid', message))
  for (const fault of validators[kind](object))
    faults.push(faultAt(draft, fault.path, fault.code, fault.message, fault.onKey))
  if (faults.length > 0) return nothing(...faults)
  const resource = { ...metadata.value, file, value: object, at: (path: FieldPath) => placeOf(draft, path, false) }
  return { kind, resource, faults: [] }
}

const TOO_MANY_ALIASES = Symbol('aliases')

function plainOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch {
    return TOO_MANY_ALIASES
  }
}

function kindOf(draft: Draft, object: Record<string, unknown>): (typeof KINDS)[number] | ResourceFault {
  const { apiVersion, kind } = object
  if (apiVersion !== API_VERSION) {
    const path = apiVersion === undefined ? [] : ['apiVersion']
    return faultAt(draft, path, 'UnknownKind', `apiVersion must be "${API_VERSION}"`)
  }
  const known = KINDS.find((each) => each === kind)
  if (known !== undefined) return known
  const meant = typeof kind === 'string' ? nearest(kind, KINDS) : null
  const hint = meant === null ? `known: ${KINDS.join(', ')}` : `did you mean "${meant}"?`
  return faultAt(draft, kind === undefined ? [] : ['kind'], 'UnknownKind', `kind is not known; ${hint}`)
}

function faultAt(
  draft: Draft,
  path: FieldPath,
  code: ResourceFault['code'],
  message: string,
  onKey = false,
): ResourceFault {
  return { file: draft.file, ...placeOf(draft, path, onKey), code, message }
}

/** Where a field stands: its value, or its key; the nearest field above it where it is absent. */
function placeOf(draft: Draft, path: FieldPath, onKey: boolean): { readonly line: number; readonly column: number } {
  let node: unknown = draft.document.contents
  let offset = offsetOf(node)
  for (const [depth, step] of path.entries()) {
    if (!isCollection(node)) break
    const last = depth === path.length - 1
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === step) : undefined
    const child: unknown = node.get(step, true)
    if (child === undefined || child === null) {
      if (pair !== undefined) offset = offsetOf(pair.key) ?? offset
      break
    }
    offset = (onKey && last && pair !== undefined ? offsetOf(pair.key) : offsetOf(child)) ?? offset
    node = child
  }
  const { line, col } = draft.lines.linePos(offset ?? 0)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null
}
