import { type RunningServer, type ServedTool, startMcpServer } from '../fixtures/mcp-server.ts'
import { PLAIN_TOOLS } from './clients/contract.ts'
import type { Tools } from './tools.ts'

/** A real MCP server (the official SDK's) with the tools of the demo, on a free port. They may still be opening. */
export function serveTools(opening: Promise<Tools>): Promise<RunningServer> {
  const served = PLAIN_TOOLS.map(({ name, description, schema }): readonly [string, ServedTool] => [
    name,
    {
      description,
      properties: schema.properties,
      answer: async (args) => (await opening).run(name, JSON.stringify(args)),
    },
  ])
  return startMcpServer({ tools: () => Object.fromEntries(served) })
}
