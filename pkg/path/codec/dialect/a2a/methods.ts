/** Versions of the protocol, by what they are called in a header. */
export type Version = '0.3' | '1.0'

/** What a request of the protocol does, whatever its binding calls it. */
export type Operation =
  | 'send'
  | 'stream'
  | 'get'
  | 'list'
  | 'cancel'
  | 'subscribe'
  | 'notify-set'
  | 'notify-get'
  | 'notify-list'
  | 'notify-remove'
  | 'extended-card'
  | 'card'

type Method = { readonly operation: Operation; readonly version: Version }

const method = (operation: Operation, version: Version): Method => ({ operation, version })

/** The methods of JSON-RPC, both versions. */
export const METHODS: ReadonlyMap<string, Method> = new Map([
  ['message/send', method('send', '0.3')],
  ['message/stream', method('stream', '0.3')],
  ['tasks/get', method('get', '0.3')],
  ['tasks/list', method('list', '0.3')],
  ['tasks/cancel', method('cancel', '0.3')],
  ['tasks/resubscribe', method('subscribe', '0.3')],
  ['tasks/pushNotificationConfig/set', method('notify-set', '0.3')],
  ['tasks/pushNotificationConfig/get', method('notify-get', '0.3')],
  ['tasks/pushNotificationConfig/list', method('notify-list', '0.3')],
  ['tasks/pushNotificationConfig/delete', method('notify-remove', '0.3')],
  ['agent/getAuthenticatedExtendedCard', method('extended-card', '0.3')],
  ['SendMessage', method('send', '1.0')],
  ['SendStreamingMessage', method('stream', '1.0')],
  ['GetTask', method('get', '1.0')],
  ['ListTasks', method('list', '1.0')],
  ['CancelTask', method('cancel', '1.0')],
  ['SubscribeToTask', method('subscribe', '1.0')],
  ['CreateTaskPushNotificationConfig', method('notify-set', '1.0')],
  ['GetTaskPushNotificationConfig', method('notify-get', '1.0')],
  ['ListTaskPushNotificationConfigs', method('notify-list', '1.0')],
  ['DeleteTaskPushNotificationConfig', method('notify-remove', '1.0')],
  ['GetExtendedAgentCard', method('extended-card', '1.0')],
])

/** Operations whose params hold the message that is said. */
export const SAYS: ReadonlySet<Operation> = new Set(['send', 'stream'])
