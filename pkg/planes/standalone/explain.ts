import { type AgentKey, agentRefOf, type Finding, type RequestView, type Verdict } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Firewall } from '#pkg/path/firewall'
import { decide } from '#pkg/path/policy'
import type { Lives, Roster } from '#pkg/planes/sidecar'

type Deps = { readonly roster: Roster; readonly lives: Lives; readonly firewall: Firewall }

/** A request that declares nothing: the call is judged as if the model had made it unasked. */
const NO_REQUEST: RequestView = {
  endpoint: { name: 'explain', method: 'POST', path: '/', kind: 'judged' },
  body: new Uint8Array(0),
  value: null,
  model: null,
  stream: false,
  tools: [],
  hostedTools: [],
  structuredOutput: false,
  history: { calls: [], results: [] },
}

/**
 * What would be decided about a call, by the rules that hold now. Nothing is written down or carried out.
 * @throws SallyportError ADMIN_NOT_FOUND for an agent that is not there.
 */
export async function explainCall(
  deps: Deps,
  agent: AgentKey,
  call: { readonly name: string; readonly arguments: unknown },
): Promise<Verdict> {
  const loaded = deps.roster.loaded(agent)
  const standing = deps.lives.standingOf(agent)
  if (loaded === null || standing === null) throw new SallyportError('ADMIN_NOT_FOUND', `no agent "${agent}"`)
  const inspection = deps.firewall.inspect(loaded.rules, { view: NO_REQUEST, agent: agentRefOf(agent), standing })
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {})
  const barred = inspection.request(NO_REQUEST).filter(barsEverything)
  const opened = barred.length > 0 ? barred : inspection.callOpen('explained', call.name, 'json')
  const early = opened.length > 0 ? opened : inspection.callDelta('explained', text)
  const findings = early.length > 0 ? early : await inspection.callClose('explained')
  const named = deps.firewall.isNamed(loaded.rules, NO_REQUEST, call.name)
  const subject = { kind: 'call', tool: call.name, named, ordinal: 1 } as const
  return decide({ id: 'v_explained', subject, findings, snapshot: loaded.snapshot, standing }).verdict
}

/** What would have refused the request, whatever it asked for. */
function barsEverything(finding: Finding): boolean {
  return finding.check === 'identity' || finding.reason === 'POLICY_NONE_SELECTS'
}
