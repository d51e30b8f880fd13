import type { Said } from '#pkg/model'
import type { Json } from '#pkg/path/codec/wire/shape'
import { Doubt, known, member, objectOf, textOf } from './members.ts'
import { type Operation, SAYS, type Version } from './methods.ts'
import { messageOf, saidByConfig, saidByRequest, skillsIn } from './said.ts'

const SENDING = known('message', 'request', 'configuration', 'metadata', 'tenant')
const CONFIGURATION = known(
  'acceptedOutputModes',
  'blocking',
  'returnImmediately',
  'historyLength',
  'pushNotificationConfig',
  'taskPushNotificationConfig',
  'pushNotification',
)
const CONFIG = known(
  'id',
  'name',
  'parent',
  'url',
  'token',
  'authentication',
  'taskId',
  'tenant',
  'config',
  'configId',
  'pushNotificationConfig',
  'pushNotificationConfigId',
)
const ABOUT = known('id', 'name', 'parent', 'taskId', 'contextId', 'tenant', 'pushNotificationConfigId', 'metadata')

/** What the params of a request say, and what they go on with. */
export type Asked = {
  readonly said: Said | null
  readonly tasks: readonly string[]
  readonly contexts: readonly string[]
  readonly tenant: string | null
}

/** Reads the params of one operation, of either version and binding. `inPath` is the task that a path names. */
export function askedBy(operation: Operation, version: Version, params: Json, inPath: string | null): Asked {
  if (SAYS.has(operation)) return sending(params)
  if (operation === 'notify-set') return setting(params, inPath)
  const about = objectOf(params, ABOUT, 'a set of params')
  const tenant = textOf(about, 'tenant')
  const context = operation === 'list' ? textOf(about, 'contextId') : null
  const ids = [inPath, ...(operation === 'list' ? [] : taskIn(about, version, operation))]
  const tasks = agreeing(ids)
  if (tasks.length === 0 && operation !== 'list' && operation !== 'extended-card') throw new Doubt('names no task')
  return { said: null, tasks, contexts: context === null ? [] : [context], tenant }
}

/** One task, by however many names. */
function agreeing(ids: readonly (string | null)[]): readonly string[] {
  const named = [...new Set(ids.filter((id) => id !== null))]
  if (named.length > 1) throw new Doubt('names two tasks where one is meant')
  return named
}

function taskIn(about: Json, version: Version, operation: Operation): readonly (string | null)[] {
  const named = [nameOf(textOf(about, 'name')), nameOf(textOf(about, 'parent')), textOf(about, 'taskId')]
  // in 1.0 the id beside a task's is that of a setting
  const byId = version === '0.3' || operation === 'get' || operation === 'cancel' || operation === 'subscribe'
  return byId ? [...named, textOf(about, 'id')] : named
}

/** The task in the name of a resource. */
function nameOf(name: string | null): string | null {
  if (name === null) return null
  const task = /^tasks\/([^/]+)(?:\/pushNotificationConfigs\/[^/]*)?$/.exec(name)?.[1]
  if (task === undefined) throw new Doubt('has a name that is not that of a task')
  return task
}

function sending(params: Json): Asked {
  const sent = objectOf(params, SENDING, 'a set of params')
  const spoken = messageOf(member(sent, 'message', 'request'), 'user')
  const given = member(sent, 'configuration')
  const configuration = given === undefined ? {} : objectOf(given, CONFIGURATION, 'a configuration')
  const setting = member(configuration, 'pushNotificationConfig', 'taskPushNotificationConfig', 'pushNotification')
  const config = setting === undefined ? { notify: [], task: null } : configOf(setting)
  const skills = [...skillsIn(member(sent, 'metadata')), ...spoken.skills]
  const tasks = [spoken.task, ...spoken.refersTo, config.task].filter((id) => id !== null)
  return {
    said: saidByRequest(spoken, { notify: config.notify, skills }),
    tasks: [...new Set(tasks)],
    contexts: spoken.context === null ? [] : [spoken.context],
    tenant: textOf(sent, 'tenant'),
  }
}

function setting(params: Json, inPath: string | null): Asked {
  const { notify, task, tenant } = configOf(params)
  const tasks = agreeing([inPath, task])
  if (tasks.length === 0) throw new Doubt('names no task')
  if (notify.length === 0) throw new Doubt('sets no address for notifications')
  return { said: saidByConfig(tasks[0] ?? null, notify), tasks, contexts: [], tenant }
}

type Config = { readonly notify: readonly string[]; readonly task: string | null; readonly tenant: string | null }

/** A setting for notifications; some bindings wrap it once or twice. */
function configOf(value: unknown, depth = 0): Config {
  if (depth > 2) throw new Doubt('has a setting inside a setting')
  const config = objectOf(value, CONFIG, 'a setting for notifications')
  const url = textOf(config, 'url')
  const wrapped = member(config, 'pushNotificationConfig', 'config')
  const inner: Config = wrapped === undefined ? { notify: [], task: null, tenant: null } : configOf(wrapped, depth + 1)
  const [task = null] = agreeing([
    textOf(config, 'taskId'),
    nameOf(textOf(config, 'name')),
    nameOf(textOf(config, 'parent')),
    inner.task,
  ])
  return { notify: [...(url === null ? [] : [url]), ...inner.notify], task, tenant: textOf(config, 'tenant') }
}
