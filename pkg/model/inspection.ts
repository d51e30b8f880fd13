import type { RequestView } from './dialect.ts'
import type { Finding } from './finding.ts'
import type { AgentCard, ArgumentForm, Said, ToolPage } from './message.ts'
import type { ServerRequest } from './snapshot.ts'

/**
 * One exchange under inspection: the checks of `path/firewall`, seen from `path/enforce`. A check looks, it never
 * decides. Every call is fed in order open → delta* → close. A finding that refuses ends the feeding; one that the policy
 * lets pass (Record, Audit) does not, so a call goes on being read after a finding, and each finding is said once.
 */
export interface Inspection {
  /** Findings about a request that has been read. Synchronous, O(bytes). */
  request(view: RequestView): readonly Finding[]
  /** The whole name is known. Findings here refuse before any argument byte. */
  callOpen(call: string, name: string, form: ArgumentForm): readonly Finding[]
  /** More argument text (decoded). Findings here are early refusals; `at` counts argument bytes. WIRE.md rule 3. */
  callDelta(call: string, text: string): readonly Finding[]
  /** The arguments are complete. Ordered findings; a promise only where a parser in the worker is needed. */
  callClose(call: string): readonly Finding[] | Promise<readonly Finding[]>
  /** The server asks the agent for something. */
  ask(request: ServerRequest): readonly Finding[]
  /** The server says which tools it has. */
  list(page: ToolPage): readonly Finding[]
  /** One agent says something to another; `direction` as the exchange sees it. */
  said(said: Said, direction: 'ToPeer' | 'FromPeer'): readonly Finding[]
  /** The other agent says what it is. A promise only where a signature has to be verified. */
  card(card: AgentCard): readonly Finding[] | Promise<readonly Finding[]>
}
