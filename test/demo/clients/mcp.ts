import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** One connection of the official MCP client, and the bytes of each answer that it read. */
export type McpAgent = {
  /** The text of the result; `refused` = the client was told that it is an error. */
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly text: string; readonly refused: boolean }>
  /** Bodies of the answers so far, in the order of the requests. Resolves when all are whole. */
  bytes(): Promise<readonly Buffer[]>
  close(): Promise<void>
}

/** Connects to a server, as any agent would. A token goes where the SDK puts it. */
export async function connectMcp(url: string, token: string | null): Promise<McpAgent> {
  const bodies: Promise<Buffer>[] = []
  const recording: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const isAnswer = init?.method === 'POST' && response.body !== null
    if (isAnswer) {
      const body = response.clone().arrayBuffer().then(Buffer.from)
      body.catch(() => {}) // one that is cut at the end is missed only by who asks for it
      bodies.push(body)
    }
    return response
  }
  const client = new Client({ name: 'demo-agent', version: '1.0.0' })
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: recording, requestInit: { headers } }))
  return {
    async call(name, args) {
      const result: CallToolResult = await client.callTool({ name, arguments: args }, { timeout: 20_000 })
      const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
      return { text, refused: result.isError === true }
    },
    bytes: () => Promise.all(bodies),
    close: () => client.close(),
  }
}
