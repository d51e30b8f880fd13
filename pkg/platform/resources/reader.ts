import { LineCounter } from 'yaml'
import type { Agent, AgentPolicy } from '#pkg/model/api'
import { nearest } from '#pkg/platform/settings'
import {
  type FieldFault,
  inOrder,
  type ReaderOptions,
  type Resource,
  type ResourceFault,
  type ResourceReader,
  type Resources,
  type SourceFile,
} from './contract.ts'
import { type DocumentLimits, documentsOf } from './documents.ts'
import { agentFits, agentPolicyFits } from './fits.gen.ts'
import { metadataOf } from './metadata.ts'
import { type Draft, placeAt, placeOf } from './place.ts'
import { doubleKeys, plainOf } from './plain.ts'
import { AGENT_POLICY_SCHEMA, AGENT_SCHEMA } from './schema.gen.ts'
import { newValidate, type Validate } from './validate.ts'

const API_VERSION = 'sallyport.dev/v1alpha1'
const KINDS = ['AgentPolicy', 'Agent'] as const

type Kind = (typeof KINDS)[number]
type Validators = Readonly<Record<Kind, Validate>>
type Limits = DocumentLimits & { readonly maxFaults: number }

/** Makes a reader. Schemas are compiled at the first resource of their kind. */
export function newResourceReader(options: ReaderOptions = {}): ResourceReader {
  const maxFileLength = options.maxFileLength ?? 2 * 1024 * 1024
  const limits: Limits = { maxTokens: options.maxTokens ?? 350_000, maxFaults: options.maxFaults ?? 100 }
  const validators = {
    AgentPolicy: newValidate(AGENT_POLICY_SCHEMA, agentPolicyFits),
    Agent: newValidate(AGENT_SCHEMA, agentFits),
  }
  return {
    read: (file) => {
      if (file.text.length > maxFileLength) {
        const message = `the file is ${file.text.length} characters long, ${maxFileLength} are read; split it`
        const fault: ResourceFault = { file: file.path, line: 1, column: 1, code: 'TooLarge', message }
        return { policies: [], agents: [], faults: [fault] }
      }
      return bounded(readFile(file, validators, limits), file.path, limits.maxFaults)
    },
  }
}

/** Work ends soon after there are more faults than are told, so nobody knows how many there are. */
function bounded(resources: Resources, file: string, maxFaults: number): Resources {
  const faults = inOrder(resources.faults)
  const first = faults[maxFaults]
  if (first === undefined) return { ...resources, faults }
  const message = 'and more faults, which are told once these are mended'
  const last: ResourceFault = { file, line: first.line, column: first.column, code: 'Invalid', message }
  return { ...resources, faults: [...faults.slice(0, maxFaults), last] }
}

function readFile(file: SourceFile, validators: Validators, limits: Limits): Resources {
  const lines = new LineCounter()
  const parsed = documentsOf(file.text, lines, limits)
  if (!parsed.ok) {
    const { offset, message } = parsed
    const fault: ResourceFault = { file: file.path, ...placeAt(lines, offset), code: 'TooLarge', message }
    return { policies: [], agents: [], faults: [fault] }
  }
  const policies: Resource<AgentPolicy>[] = []
  const agents: Resource<Agent>[] = []
  const faults: ResourceFault[] = []
  const seen = new Set<string>()
  for (const document of parsed.documents) {
    if (faults.length > limits.maxFaults) break
    const draft: Draft = { file: file.path, document, lines }
    const read = readDocument(draft, validators, limits.maxFaults + 1)
    if (read === null) continue
    if (!('resource' in read)) {
      faults.push(...read.faults)
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

/** A resource, its faults, or null for a document without content. */
type Read =
  | { readonly kind: Kind; readonly resource: Resource<unknown> }
  | { readonly faults: readonly ResourceFault[] }
  | null

/** At most so many of the faults get a place and are kept. */
function readDocument(draft: Draft, validators: Validators, maxFaults: number): Read {
  const { file } = draft
  const syntax = syntaxFaults(draft, maxFaults)
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
  if (faults.length > 0) return { faults: faults.slice(0, maxFaults).map((fault) => at(draft, fault)) }
  return { kind, resource: { ...metadata.value, file, value: object, at: (path) => placeOf(draft, path, false) } }
}

/** What the YAML library complains of. A tag that it does not know is a fault, too: the value would be read without it. */
function syntaxFaults({ document, lines, file }: Draft, maxFaults: number): readonly ResourceFault[] {
  const told = [...document.errors.slice(0, maxFaults), ...document.warnings.slice(0, maxFaults)]
  const faults = told.map((error): ResourceFault => {
    return { file, ...placeAt(lines, error.pos[0]), code: 'YamlSyntax', message: oneLine(error.message) }
  })
  for (const { offset, name } of doubleKeys(document.contents).slice(0, maxFaults)) {
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
