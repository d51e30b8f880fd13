import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import type { Agent, AgentPolicy } from '#pkg/model/api'
import { nearest } from '#pkg/platform/settings'
import type {
  FieldFault,
  ReaderOptions,
  Resource,
  ResourceFault,
  ResourceReader,
  Resources,
  SourceFile,
} from './contract.ts'
import { metadataOf } from './metadata.ts'
import { type Draft, placeAt, placeOf } from './place.ts'
import { doubleKeys, plainOf } from './plain.ts'
import { AGENT_POLICY_SCHEMA, AGENT_SCHEMA } from './schema.gen.ts'
import { newValidate, type Validate } from './validate.ts'

const API_VERSION = 'sallyport.dev/v1alpha1'
const KINDS = ['AgentPolicy', 'Agent'] as const

type Kind = (typeof KINDS)[number]
type Validators = Readonly<Record<Kind, Validate>>

/** Makes a reader. Schemas are compiled at the first resource of their kind. */
export function newResourceReader(options: ReaderOptions = {}): ResourceReader {
  const maxFileLength = options.maxFileLength ?? 16 * 1024 * 1024
  const maxFaults = options.maxFaults ?? 100
  const validators = { AgentPolicy: newValidate(AGENT_POLICY_SCHEMA), Agent: newValidate(AGENT_SCHEMA) }
  return {
    read: (file) => {
      if (file.text.length > maxFileLength) {
        const message = `the file is ${file.text.length} characters long, ${maxFileLength} are read; split it`
        const fault: ResourceFault = { file: file.path, line: 1, column: 1, code: 'TooLarge', message }
        return { policies: [], agents: [], faults: [fault] }
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

function readFile(file: SourceFile, validators: Validators): Resources {
  const lines = new LineCounter()
  const documents = documentsOf(file.text, lines)
  if (documents === null) {
    const message = 'the file is nested too deep to be read'
    const fault: ResourceFault = { file: file.path, line: 1, column: 1, code: 'TooLarge', message }
    return { policies: [], agents: [], faults: [fault] }
  }
  const policies: Resource<AgentPolicy>[] = []
  const agents: Resource<Agent>[] = []
  const faults: ResourceFault[] = []
  const seen = new Set<string>()
  for (const document of documents) {
    const draft: Draft = { file: file.path, document, lines }
    const read = readDocument(draft, validators)
    if (read === null) continue
    if (!('resource' in read)) {
      for (const fault of read.faults) faults.push(fault) // there may be more than a call takes arguments
      continue
    }
    const key = `${read.kind} ${read.resource.key}`
    if (seen.has(key)) {
      faults.push(
        at(draft, {
          path: ['metadata', 'name'],
          code: 'Duplicate',
          onKey: false,
          message: `${key} stands in this file twice`,
        }),
      )
      continue
    }
    seen.add(key)
    // the validator of its kind has passed it
    if (read.kind === 'AgentPolicy') policies.push(read.resource as Resource<AgentPolicy>)
    else agents.push(read.resource as Resource<Agent>)
  }
  return { policies, agents, faults }
}

/** null when the nesting is deeper than the stack of the parser. */
function documentsOf(text: string, lineCounter: LineCounter): readonly Document.Parsed[] | null {
  try {
    const options = { lineCounter, uniqueKeys: false, stringKeys: true, version: '1.2', prettyErrors: false } as const
    const documents = parseAllDocuments(text, options)
    return 'empty' in documents ? [] : documents
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** A resource, its faults, or null for a document without content. */
type Read =
  | { readonly kind: Kind; readonly resource: Resource<unknown> }
  | { readonly faults: readonly ResourceFault[] }
  | null

function readDocument(draft: Draft, validators: Validators): Read {
  const { file } = draft
  const syntax = syntaxFaults(draft)
  if (syntax.length > 0) return { faults: syntax }
  const plain = plainOf(draft.document)
  if (!plain.ok) return { faults: [at(draft, plain.fault)] }
  const { value } = plain
  if (value === null || value === undefined) return null
  if (typeof value !== 'object' || Array.isArray(value)) {
    const message = 'a resource is an object with apiVersion, kind, metadata and spec'
    return { faults: [at(draft, { path: [], code: 'Invalid', onKey: false, message })] }
  }
  const object = value as Record<string, unknown> // checked in the lines above
  const kind = kindOf(object)
  if (typeof kind !== 'string') return { faults: [at(draft, kind)] }
  const metadata = metadataOf(object['metadata'], kind)
  const faults = [...metadata.faults, ...validators[kind](object)]
  if (faults.length > 0) return { faults: faults.map((fault) => at(draft, fault)) }
  return { kind, resource: { ...metadata.value, file, value: object, at: (path) => placeOf(draft, path, false) } }
}

/** What the YAML library complains of. A tag that it does not know is a fault, too: the value would be read without it. */
function syntaxFaults({ document, lines, file }: Draft): readonly ResourceFault[] {
  const overflow = document.errors.find((error) => /stack/i.test(error.message))
  if (overflow !== undefined) {
    return [{ file, ...placeAt(lines, overflow.pos[0]), code: 'TooLarge', message: 'nested too deep to be read' }]
  }
  const faults = [...document.errors, ...document.warnings].map((error): ResourceFault => {
    return { file, ...placeAt(lines, error.pos[0]), code: 'YamlSyntax', message: oneLine(error.message) }
  })
  for (const { offset, name } of doubleKeys(document.contents)) {
    const message = oneLine(`keys of a map are unique, but "${name}" stands in this one twice; remove one of them`)
    faults.push({ file, ...placeAt(lines, offset), code: 'Duplicate', message })
  }
  // another version reads `no`, `<<` and `0755` in another way than everybody else who reads this file
  const { version } = document.directives.yaml
  if (version !== '1.2') {
    const place = placeAt(lines, document.range[0])
    faults.push({ file, ...place, code: 'YamlSyntax', message: `%YAML ${version} is not read; remove the directive` })
  }
  return faults
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').slice(0, 300)
}

function kindOf(object: Readonly<Record<string, unknown>>): Kind | FieldFault {
  const { apiVersion, kind } = object
  if (apiVersion !== API_VERSION) {
    const path = apiVersion === undefined ? [] : ['apiVersion']
    return { path, code: 'UnknownKind', onKey: false, message: `apiVersion must be "${API_VERSION}"` }
  }
  const known = KINDS.find((each) => each === kind)
  if (known !== undefined) return known
  const meant = typeof kind === 'string' ? nearest(kind, KINDS) : null
  const hint = meant === null ? `known: ${KINDS.join(', ')}` : `did you mean "${meant}"?`
  const message = kind === undefined ? `"kind" is missing; ${hint}` : `kind is not known; ${hint}`
  return { path: kind === undefined ? [] : ['kind'], code: 'UnknownKind', onKey: false, message }
}

function at(draft: Draft, { path, code, message, onKey }: FieldFault): ResourceFault {
  return { file: draft.file, ...placeOf(draft, path, onKey), code, message }
}
