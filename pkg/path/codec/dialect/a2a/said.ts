import type { Said, SaidPart } from '#pkg/model'
import { foldKey } from '#pkg/path/codec/wire/json'
import { asArray, asObject, type Json } from '#pkg/path/codec/wire/shape'
import { Doubt, known, listOf, member, objectOf, textOf } from './members.ts'

const MESSAGE = known(
  'kind',
  'messageId',
  'contextId',
  'taskId',
  'role',
  'parts',
  'content',
  'metadata',
  'extensions',
  'referenceTaskIds',
)
const PART = known('kind', 'type', 'text', 'file', 'raw', 'url', 'data', 'metadata', 'filename', 'mediaType')
const FILE = known('uri', 'bytes', 'name', 'mimeType', 'fileWithUri', 'fileWithBytes')
const ARTIFACT = known('artifactId', 'name', 'description', 'parts', 'metadata', 'extensions')
const STATUS = known('state', 'message', 'update', 'timestamp')
const TASK = known('kind', 'id', 'contextId', 'status', 'artifacts', 'history', 'metadata')
const STATUS_UPDATE = known('kind', 'taskId', 'contextId', 'status', 'final', 'metadata')
const ARTIFACT_UPDATE = known('kind', 'taskId', 'contextId', 'artifact', 'append', 'lastChunk', 'metadata')

/** Who speaks: `agent` is the one that is asked. History has both. */
export type Speaker = 'user' | 'agent' | 'any'

const ROLES: Readonly<Record<Speaker, readonly unknown[]>> = {
  user: ['user', 'ROLE_USER', 1],
  agent: ['agent', 'ROLE_AGENT', 2],
  any: ['user', 'ROLE_USER', 1, 'agent', 'ROLE_AGENT', 2],
}

/** A message, with the tasks that it refers to. */
export type Spoken = {
  readonly parts: readonly SaidPart[]
  readonly skills: readonly string[]
  readonly task: string | null
  readonly context: string | null
  readonly refersTo: readonly string[]
}

/** Reads a message of either version. */
export function messageOf(value: unknown, speaker: Speaker): Spoken {
  if (value === undefined) throw new Doubt('has no message')
  const message = objectOf(value, MESSAGE, 'a message')
  const role = member(message, 'role')
  if (role !== undefined && !ROLES[speaker].includes(role)) throw new Doubt('has a role that its sender has not')
  const given = listOf(message, 'parts', 'content')
  return {
    parts: given.map(partOf),
    skills: [
      ...skillsIn(member(message, 'metadata')),
      ...given.flatMap((part) => skillsIn(asObject(part)?.['metadata'])),
    ],
    task: textOf(message, 'taskId'),
    context: textOf(message, 'contextId'),
    refersTo: idsOf(listOf(message, 'referenceTaskIds')),
  }
}

function idsOf(list: readonly unknown[]): readonly string[] {
  return list.map((id) => {
    if (typeof id !== 'string' || id === '') throw new Doubt('refers to a task without an id')
    return id
  })
}

/** Exactly one of its contents, and the kind that it says it has. */
function partOf(value: unknown): SaidPart {
  const part = objectOf(value, PART, 'a part')
  const contents = ['text', 'file', 'raw', 'url', 'data'].filter((name) => (part[name] ?? null) !== null)
  const [content] = contents
  if (content === undefined || contents.length > 1) throw new Doubt('has a part with no content, or with several')
  const kind = member(part, 'kind', 'type')
  const is = content === 'raw' || content === 'url' ? 'file' : content
  if (kind !== undefined && kind !== is) throw new Doubt('has a part of another kind than its content')
  if (content === 'data') return { kind: 'data', value: part['data'] }
  const name = textOf(part, 'filename')
  const mediaType = textOf(part, 'mediaType')
  if (content === 'file') return fileOf(part['file'])
  const text = part[content]
  if (typeof text !== 'string') throw new Doubt('has a part whose content is no text')
  if (content === 'text') return { kind: 'text', text }
  return { kind: 'file', name, mediaType, uri: content === 'url' ? text : null, bytes: content === 'raw' ? text : null }
}

function fileOf(value: unknown): SaidPart {
  const file = objectOf(value, FILE, 'a file')
  const uri = textOf(file, 'uri', 'fileWithUri')
  const bytes = textOf(file, 'bytes', 'fileWithBytes')
  if (uri !== null && bytes !== null) throw new Doubt('has a file with an address and with bytes')
  return { kind: 'file', name: textOf(file, 'name'), mediaType: textOf(file, 'mimeType'), uri, bytes }
}

const SKILL_KEYS = new Set(['skill', 'skills', 'skillid', 'skillids', 'skillname', 'skillnames'])

/** The skills that metadata asks for; what cannot be read counts as a skill without a name, which nobody has. */
export function skillsIn(metadata: unknown): readonly string[] {
  const object = asObject(metadata)
  if (object === null) return []
  return Object.entries(object).flatMap(([key, value]) =>
    SKILL_KEYS.has(foldKey(key).replace(/[^a-z]/g, '')) ? skillsOf(value) : [],
  )
}

function skillsOf(value: unknown): readonly string[] {
  if (value === null || value === undefined) return []
  const list = asArray(value)
  if (list !== null) return list.flatMap(skillsOf)
  if (typeof value === 'string') return [value]
  const id = asObject(value)?.['id']
  return [typeof id === 'string' ? id : '']
}

function said(about: Said['about'], given: Partial<Said>): Said {
  const nothing = { delegates: false, parts: [], notify: [], skills: [], task: null, context: null }
  return { about, ...nothing, ...given }
}

/** What a message says, in a result. */
export function saidByMessage(value: unknown): Said {
  const { parts, task, context } = messageOf(value, 'agent')
  return said('message', { parts, task, context })
}

/** What a request says that hands work over, with the addresses at which it wants to be told. */
export function saidByRequest(spoken: Spoken, more: Pick<Said, 'notify' | 'skills'>): Said {
  const { parts, task, context } = spoken
  return said('message', { delegates: true, parts, task, context, ...more })
}

/** What a request says that sets an address for notifications. */
export function saidByConfig(task: string | null, notify: readonly string[]): Said {
  return said('notify', { task, notify })
}

/** A whole task: its status, its artifacts, its history. */
export function saidByTask(value: unknown): Said {
  const task = objectOf(value, TASK, 'a task')
  const kind = member(task, 'kind')
  if (kind !== undefined && kind !== 'task') throw new Doubt('has a kind that is not that of a task')
  const parts = [
    ...statusParts(member(task, 'status')),
    ...listOf(task, 'artifacts').flatMap(artifactParts),
    ...listOf(task, 'history').flatMap((one) => messageOf(one, 'any').parts),
  ]
  return said('task', { parts, task: textOf(task, 'id'), context: textOf(task, 'contextId') })
}

/** What became of a task. */
export function saidByStatus(value: unknown): Said {
  const update = objectOf(value, STATUS_UPDATE, 'a status update')
  const parts = statusParts(member(update, 'status'))
  return said('status', { parts, task: textOf(update, 'taskId'), context: textOf(update, 'contextId') })
}

/** A piece of an artifact, or all of it. */
export function saidByArtifact(value: unknown): Said {
  const update = objectOf(value, ARTIFACT_UPDATE, 'an artifact update')
  const parts = artifactParts(member(update, 'artifact'))
  return said('artifact', { parts, task: textOf(update, 'taskId'), context: textOf(update, 'contextId') })
}

function statusParts(value: unknown): readonly SaidPart[] {
  if (value === undefined) return []
  const message = member(objectOf(value, STATUS, 'a status'), 'message', 'update')
  return message === undefined ? [] : messageOf(message, 'agent').parts
}

function artifactParts(value: unknown): readonly SaidPart[] {
  if (value === undefined) return []
  const artifact: Json = objectOf(value, ARTIFACT, 'an artifact')
  const words = [textOf(artifact, 'name'), textOf(artifact, 'description')]
  return [
    ...words.filter((word) => word !== null).map((text): SaidPart => ({ kind: 'text', text })),
    ...listOf(artifact, 'parts').map(partOf),
  ]
}
