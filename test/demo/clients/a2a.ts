import { Role, type SendMessageRequest } from '@a2a-js/sdk'
import {
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
} from '@a2a-js/sdk/client'
import { partOf } from '../../fixtures/a2a-server.ts'

/** Another agent, by the official client of A2A. */
export type Peer = {
  /** Sends one message; the text of the answer. */
  ask(text: string): Promise<string>
}

/** Reads that agent's card, as any client would. */
export async function connectPeer(url: string, token: string): Promise<Peer> {
  const fetchImpl: typeof fetch = (input, init = {}) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    return fetch(input, { ...init, headers })
  }
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new JsonRpcTransportFactory({ fetchImpl })],
    cardResolver: new DefaultAgentCardResolver({ fetchImpl }),
  })
  const client = await new ClientFactory(options).createFromUrl(`${url}/`)
  return {
    ask: async (text) => {
      const answer = await client.sendMessage(asking(text))
      const parts = 'parts' in answer ? answer.parts : []
      return parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('')
    },
  }
}

const asking = (text: string): SendMessageRequest => ({
  tenant: '',
  configuration: undefined,
  metadata: undefined,
  message: {
    messageId: crypto.randomUUID(),
    contextId: '',
    taskId: '',
    role: Role.ROLE_USER,
    parts: [partOf({ $case: 'text', value: text })],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
})
