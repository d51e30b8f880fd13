/**
 * dialect/mcp: the Model Context Protocol over Streamable HTTP, revisions 2025-03-26 to 2025-11-25 and 2026-07-28.
 *
 * In:  JSON-RPC messages of an agent's MCP client, with their headers; answers of the server, as JSON or as events.
 * Out: the calls that a request carries, which are judged before it leaves; what a server asks of the agent and which
 *      tools it says it has, as Messages; refusals that every MCP client reads: a tool result with `isError`, or a
 *      JSON-RPC error with a code of -32010 to -32013.
 * Never: a policy, a verdict of its own, a socket, a descriptor that is run. A method that no revision has is refused in
 *      either direction. What rests on the text of revision 2026-07-28 alone is marked so in the tests. WIRE.md §1, §2.
 */
import type { Dialect } from '#pkg/model'
import { readAnswer } from './answer.ts'
import { endpointOf } from './endpoint.ts'
import { sessionIn } from './headers.ts'
import { voiceOf } from './refuse.ts'
import { readRequest } from './request.ts'
import { openStream } from './response.ts'

/** The dialect. */
export const mcp: Dialect = {
  name: 'mcp',
  provider: null,
  endpointOf,
  readRequest,
  openStream,
  readAnswer,
  sessionIn,
  ...voiceOf([]),
  ping: new TextEncoder().encode(': sallyport holds\n\n'),
  restore: () => null,
}
