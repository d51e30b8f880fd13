import {
  type AgentKey,
  type Ask,
  agentRefOf,
  type Finding,
  findingOf,
  type RequestView,
  type Snapshot,
  type Source,
} from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { plainHttp } from '#pkg/path/codec/dialect/plain-http'
import { proxyTarget } from '#pkg/path/codec/wire/http1'
import type { Firewall } from '#pkg/path/firewall'
import { decide } from '#pkg/path/policy'
import { type Lives, type OwnedUrls, ownedFindings, type Roster } from '#pkg/planes/sidecar'
import type { Explained } from './ports.ts'

type Deps = {
  readonly roster: Roster
  readonly lives: Lives
  readonly firewall: Firewall
} & OwnedUrls

/** A request as it is asked about. An https URL is asked for by CONNECT, as HTTP clients do. */
export type HostRequest = { readonly method: string; readonly url: string }

const REQUEST = { kind: 'request', tool: null, named: false, ordinal: 0 } as const

/**
 * What would be decided about a request to another host, by the rules that hold now. DNS is not asked: what it says is judged
 * when the request is made. Nothing is written down or carried out.
 * @throws SallyportError ADMIN_NOT_FOUND for an agent that is not there.
 */
export function explainHost(deps: Deps, agent: AgentKey, asked: HostRequest): Explained {
  const loaded = deps.roster.loaded(agent)
  const standing = deps.lives.standingOf(agent)
  if (loaded === null || standing === null) throw new SallyportError('ADMIN_NOT_FOUND', `no agent "${agent}"`)
  const { snapshot } = loaded
  const read = viewOf(asked)
  const judge = (rules: Snapshot): readonly Finding[] => {
    if (!read.ok) return [read.finding]
    const given = { view: read.view, agent: agentRefOf(agent), standing }
    const found = deps.firewall.inspect(deps.firewall.load(rules), given).request(read.view)
    return [...found, ...ownedFindings(deps, rules, read.view)]
  }
  const { verdict, permit } = decide({
    id: 'v_explained',
    subject: REQUEST,
    findings: judge(snapshot),
    snapshot,
    standing,
  })
  const entry = snapshot.egress.find((each) => judge({ ...snapshot, egress: [each] }).length === 0)
  const granted: Source | null = permit === null ? null : (entry?.source ?? null)
  return { ...verdict, granted }
}

type Viewed = { readonly ok: true; readonly view: RequestView } | { readonly ok: false; readonly finding: Finding }

function viewOf({ method, url }: HostRequest): Viewed {
  const asked = proxyTarget(method, url, {})
  if (!asked.ok) return { ok: false, finding: findingOf(asked.reason, 0, asked.detail) }
  const tunnels = asked.target.scheme === 'https'
  const target = tunnels ? ({ ...asked.target, scheme: 'tcp' } as const) : asked.target
  const { path, query } = tunnels ? { path: '', query: '' } : asked
  const ask: Ask = {
    facade: '',
    method: tunnels ? 'CONNECT' : method,
    path,
    query,
    headers: {},
    token: null,
    body: new Uint8Array(0),
    target,
  }
  const read = plainHttp.readRequest(ask, target)
  return read.ok ? { ok: true, view: read.value } : { ok: false, finding: findingOf(read.reason, read.at, read.detail) }
}
