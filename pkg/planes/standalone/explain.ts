import {
  type AgentKey,
  agentRefOf,
  type Finding,
  globMatches,
  NO_HISTORY,
  type RequestView,
  type Snapshot,
  type Source,
  type Standing,
} from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Firewall } from '#pkg/path/firewall'
import { decide } from '#pkg/path/policy'
import type { Lives, Roster } from '#pkg/planes/sidecar'
import type { Explained } from './ports.ts'

type Deps = { readonly roster: Roster; readonly lives: Lives; readonly firewall: Firewall }

/** A request that declares nothing: the call is judged as if the model had made it unasked. */
const NO_REQUEST: RequestView = {
  endpoint: { name: 'explain', method: 'POST', path: '/', kind: 'judged' },
  provider: 'OpenAI',
  body: new Uint8Array(0),
  value: null,
  model: null,
  modelless: true,
  stream: false,
  tools: [],
  hostedTools: [],
  structuredOutput: false,
  history: NO_HISTORY,
}

/** A call as it is asked about; a string is the text of the arguments. */
type Call = { readonly name: string; readonly arguments: unknown }

/**
 * What would be decided about a call, by the rules that hold now. Nothing is written down or carried out.
 * @throws SallyportError ADMIN_NOT_FOUND for an agent that is not there.
 */
export async function explainCall(deps: Deps, agent: AgentKey, call: Call): Promise<Explained> {
  const loaded = deps.roster.loaded(agent)
  const standing = deps.lives.standingOf(agent)
  if (loaded === null || standing === null) throw new SallyportError('ADMIN_NOT_FOUND', `no agent "${agent}"`)
  const { snapshot } = loaded
  const findings = await judge(deps.firewall, snapshot, standing, call)
  const named = deps.firewall.isNamed(loaded.rules, NO_REQUEST, call.name)
  const subject = { kind: 'call', tool: call.name, named, ordinal: 1 } as const
  const { verdict } = decide({ id: 'v_explained', subject, findings, snapshot, standing })
  const granted = findings.length === 0 ? await grantOf(deps.firewall, snapshot, standing, call) : null
  return { ...verdict, granted }
}

async function judge(
  firewall: Firewall,
  snapshot: Snapshot,
  standing: Standing,
  call: Call,
): Promise<readonly Finding[]> {
  const agent = agentRefOf(snapshot.agent)
  const inspection = firewall.inspect(firewall.load(snapshot), { view: NO_REQUEST, agent, standing })
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {})
  const barred = inspection.request(NO_REQUEST).filter(barsEverything)
  const opened = barred.length > 0 ? barred : inspection.callOpen('explained', call.name, 'json')
  const early = opened.length > 0 ? opened : inspection.callDelta('explained', text)
  return early.length > 0 ? early : await inspection.callClose('explained')
}

/** The entry that carries an allowed call: the first that would carry it alone. */
async function grantOf(firewall: Firewall, snapshot: Snapshot, standing: Standing, call: Call): Promise<Source | null> {
  for (const grant of snapshot.grants) {
    if (!globMatches(grant.name, call.name)) continue
    const findings = await judge(firewall, { ...snapshot, grants: [grant] }, standing, call)
    if (findings.length === 0) return grant.source
  }
  return null
}

/** What would have refused the request, whatever it asked for. */
function barsEverything(finding: Finding): boolean {
  return finding.check === 'identity' || finding.reason === 'POLICY_NONE_SELECTS'
}
