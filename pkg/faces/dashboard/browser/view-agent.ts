import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { AgentAnswer, MoveAnswer } from '#pkg/faces/admin'
import type { Hold, LifecycleState } from '#pkg/model'
import type { App, Identity, Verb } from './app.ts'
import { durationText, foreign, foreignOr, moment } from './text.ts'
import { facts, stateBadge, verdictTable } from './view-parts.ts'

/** Which verbs make a move from a state. DESIGN §5; `terminate` and `forget` are for the command line. */
const VERBS: Readonly<Record<LifecycleState, readonly Verb[]>> = {
  Provisioned: ['release'],
  Active: ['quarantine', 'suspend'],
  Quarantined: ['release', 'suspend'],
  Suspended: ['reinstate'],
  Terminated: [],
}
const SHOWN_VERDICTS = 50
/** Less than this of an identity's time counts as late. */
const LATE_MS = 60_000

/** One agent: how it stands, who it is, what was judged of it, and what a person can do. */
export function agentView(app: App, key: string): TemplateResult {
  const { state, actions } = app
  const agent = state.agents.get(key)
  if (agent === undefined)
    return html`<h1 tabindex="-1">${foreign(key)}</h1>
      <p role="status">${state.agents.size === 0 ? 'Asking…' : 'No such agent is known.'}</p>`
  const records = state.list.shown().filter((record) => record.agent === key)
  return html`
    <h1 tabindex="-1">${foreign(key)} ${stateBadge(agent.state)}</h1>
    <p class="buttons">
      ${VERBS[agent.state].map((verb) => html`<button type="button" class=${verb} @click=${() => actions.begin(verb, agent)}>${verb}…</button>`)}
    </p>
    <div role="status">${state.moved === null || keyOf(state.moved) !== key ? nothing : outcome(state.moved)}</div>
    ${agent.warnings.map(({ code, message }) => html`<p class="warning"><strong>${code}</strong> ${foreign(message, 400)}</p>`)}
    <div class="columns">
      <section aria-labelledby="life-title"><h2 id="life-title">Life</h2>${life(agent)}</section>
      <section aria-labelledby="identity-title"><h2 id="identity-title">Identity</h2>${identity(state.identity, key)}</section>
    </div>
    <section aria-labelledby="holds-title"><h2 id="holds-title">Holds</h2>${holds(agent)}</section>
    <section aria-labelledby="own-title">
      <h2 id="own-title">Verdicts</h2>
      ${records.length === 0 ? html`<p class="quiet">None among the newest verdicts.</p>` : verdictTable(app, records.slice(0, SHOWN_VERDICTS), `Verdicts of ${key}, newest first`)}
    </section>
  `
}

function life(agent: AgentAnswer): TemplateResult {
  const { acks, policies } = agent
  return facts([
    ['State', stateBadge(agent.state)],
    ['Why', foreignOr(agent.reason, 200)],
    ['Epoch', agent.epoch],
    ['Followed by', `${acks.received} of ${acks.wanted} sidecars`],
    ['Role', foreignOr(agent.role)],
    ['Mode', agent.mode ?? '–'],
    ['Policies', policies.length === 0 ? 'none selects it' : policies.map((policy) => html`${foreign(policy)} `)],
    ['Generation', agent.generation],
    ['Released through', agent.releaseThroughEpoch === 0 ? '–' : `epoch ${agent.releaseThroughEpoch}`],
  ])
}

function identity(known: Identity | null, key: string): TemplateResult {
  if (known === null || known.key !== key) return html`<p class="quiet">Asking…</p>`
  if (known.held === null) return html`<p class="quiet">${foreign(known.fault, 300)}</p>`
  const { spiffeId, serial, notBefore, notAfter, slot, thumbprint, epoch } = known.held
  const leftMs = Date.parse(notAfter) - Date.now()
  const left = leftMs <= 0 ? 'over' : durationText(leftMs)
  return facts([
    ['SPIFFE ID', foreign(spiffeId, 120)],
    ['Serial', foreign(serial)],
    ['Valid from', moment(notBefore)],
    ['Valid until', html`${moment(notAfter)} <span class=${leftMs < LATE_MS ? 'late' : 'quiet'}>(${left})</span>`],
    ['Epoch', epoch],
    ['Key', foreign(thumbprint)],
    ['Signed by', foreign(slot)],
  ])
}

function holds({ holds: list }: AgentAnswer): TemplateResult {
  if (list.length === 0) return html`<p class="quiet">None.</p>`
  return html`<div class="scroll">
    <table>
      <caption class="unseen">Holds</caption>
      <thead>
        <tr>
          <th scope="col" class="number">Epoch</th><th scope="col">State</th><th scope="col">Source</th><th scope="col">Why</th>
          <th scope="col">Verdict</th><th scope="col">By</th><th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>${list.map(holdRow)}</tbody>
    </table>
  </div>`
}

function holdRow({ epoch, state, source, code, verdictId, reason, by, since }: Hold): TemplateResult {
  return html`<tr>
    <td class="number">${epoch}</td>
    <td>${stateBadge(state)}</td>
    <td>${source}</td>
    <td>${foreign(reason ?? code, 120)}</td>
    <td>${foreignOr(verdictId)}</td>
    <td>${foreignOr(by ?? null)}</td>
    <td>${moment(since)}</td>
  </tr>`
}

function outcome(moved: MoveAnswer): TemplateResult {
  const { verb, from, to, epoch, changed, durable, acks } = moved
  const what = changed ? `${from} → ${to ?? 'forgotten'}, epoch ${epoch}` : `it was ${from} already, nothing changed`
  return html`<p class="done">
    ${verb}: ${what}; ${acks.received} of ${acks.wanted} sidecars have followed.
    ${durable ? nothing : html`<strong>It is in force, but could not be written down: a restart would forget it.</strong>`}
    ${changed && (verb === 'release' || verb === 'reinstate') && to !== 'Active' ? html`<strong>It is still held: a newer hold counts.</strong>` : nothing}
  </p>`
}

function keyOf({ namespace, name }: MoveAnswer): string {
  return `${namespace}/${name}`
}
