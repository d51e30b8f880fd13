import type { ServerRequest } from '#pkg/model'

/** Revisions with sessions and with a handshake. */
export const SESSION_REVISIONS: ReadonlySet<string> = new Set(['2025-03-26', '2025-06-18', '2025-11-25'])

/** Revisions in which each request stands for itself. */
export const STATELESS_REVISIONS: ReadonlySet<string> = new Set(['2026-07-28'])

/** The only revision in which several messages may come in one body. */
export const BATCH_REVISION = '2025-03-26'

/** The member of `_meta` by which a request says that it is of a stateless revision. */
export const REVISION_KEY = 'io.modelcontextprotocol/protocolVersion'

const SHARED = [
  'tools/call',
  'tools/list',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]

/** What a client may ask of a server, by revision. */
export const CLIENT_REQUESTS = {
  session: new Set([
    ...SHARED,
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'tasks/get',
    'tasks/list',
    'tasks/result',
    'tasks/cancel',
  ]),
  stateless: new Set([...SHARED, 'server/discover', 'subscriptions/listen']),
} as const

/** What a client may tell a server. */
export const CLIENT_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/cancelled',
  'notifications/progress',
  'notifications/initialized',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
])

/** What a server may tell a client. */
export const SERVER_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/cancelled',
  'notifications/progress',
  'notifications/message',
  'notifications/resources/updated',
  'notifications/resources/list_changed',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/elicitation/complete',
  'notifications/subscriptions/acknowledged',
  'notifications/tasks/status',
])

/** What a server may ask of a client, if the policy grants it. */
export const SERVER_ASKS: ReadonlyMap<string, ServerRequest> = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
])

/** Methods of which a header names the subject, and where the body does. */
export const NAMED_BY: ReadonlyMap<string, 'name' | 'uri' | 'taskId'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/result', 'taskId'],
  ['tasks/cancel', 'taskId'],
])
