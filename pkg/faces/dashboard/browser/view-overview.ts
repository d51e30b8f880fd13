import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { AgentAnswer } from '#pkg/faces/admin'
import type { LifecycleState } from '#pkg/model'
import type { App, State } from './app.ts'
import { OUTCOMES, outcomeOf } from './buckets.ts'
import { chart } from './chart.ts'
import { foreign, moment } from './text.ts'
import { agentLink, inputText, stateBadge, verdictTable } from './view-parts.ts'

const STATES: readonly LifecycleState[] = ['Active', 'Provisioned', 'Quarantined', 'Suspended', 'Terminated']
/** Agents of the list that are shown at a time. */
const SHOWN_AGENTS = 100
const SHOWN_REFUSALS = 8

/** Agents by state, verdicts of the last ten minutes, and what was refused last. */
export function overviewView(app: App): TemplateResult {
  const { state } = app
  const refused = state.list
    .shown()
    .filter((record) => outcomeOf(record) === 'refused' || outcomeOf(record) === 'severed')
    .slice(0, SHOWN_REFUSALS)
  return html`
    <h1 tabindex="-1">Overview</h1>
    ${state.agentsFault === null ? nothing : html`<p role="alert" class="fault">${state.agentsFault}</p>`}
    <section aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      ${stateCards(app)} ${agentList(app)}
    </section>
    <section aria-labelledby="chart-title">
      <h2 id="chart-title">Verdicts of the last 10 minutes</h2>
      ${verdictChart(state)}
    </section>
    <section aria-labelledby="refused-title">
      <h2 id="refused-title">Refused last</h2>
      ${refused.length === 0 ? html`<p class="quiet">Nothing was refused lately.</p>` : verdictTable(app, refused, 'Refused last')}
    </section>
    ${sinceLine(state)}
  `
}

function stateCards({ state, actions }: App): TemplateResult {
  const counts = new Map<string, number>()
  for (const agent of state.agents.values()) counts.set(agent.state, (counts.get(agent.state) ?? 0) + 1)
  const chosen = state.agentFilter.state
  const card = (name: LifecycleState): TemplateResult => html`<li>
    <button
      type="button"
      class="card"
      aria-pressed=${chosen === name ? 'true' : 'false'}
      @click=${() => actions.filterAgents({ state: chosen === name ? '' : name })}
    >
      <span class="count">${counts.get(name) ?? 0}</span>${stateBadge(name)}
    </button>
  </li>`
  return html`<ul class="cards" aria-label="Agents by state; choose one to list its agents">
    ${STATES.map(card)}
  </ul>`
}

function agentList({ state, actions }: App): TemplateResult {
  const { text, state: wanted } = state.agentFilter
  const found = [...state.agents]
    .filter(([key, agent]) => key.includes(text.toLowerCase()) && (wanted === '' || agent.state === wanted))
    .sort(([left], [right]) => (left < right ? -1 : 1))
  return html`
    <p class="filters">
      <label>Name <input type="search" .value=${text} @input=${(event: Event) => actions.filterAgents({ text: inputText(event) })} /></label>
      <span class="quiet" role="status">${found.length} of ${state.agents.size} agents${found.length > SHOWN_AGENTS ? `, the first ${SHOWN_AGENTS} shown` : ''}</span>
    </p>
    <div class="scroll">
      <table class="agents">
        <caption class="unseen">Agents</caption>
        <thead>
          <tr><th scope="col">Agent</th><th scope="col">State</th><th scope="col">Role</th><th scope="col" class="number">Epoch</th></tr>
        </thead>
        <tbody>
          ${found.slice(0, SHOWN_AGENTS).map(([key, agent]) => agentRow(key, agent))}
        </tbody>
      </table>
    </div>
  `
}

function agentRow(key: string, { state, role, epoch, reason }: AgentAnswer): TemplateResult {
  return html`<tr>
    <td>${agentLink(key)}</td>
    <td>${stateBadge(state)} ${reason === null ? nothing : html`<span class="quiet">${foreign(reason, 60)}</span>`}</td>
    <td>${role === null ? '–' : foreign(role, 40)}</td>
    <td class="number">${epoch}</td>
  </tr>`
}

function verdictChart({ buckets }: State): TemplateResult {
  const { starts, series } = buckets.read(Date.now())
  const sums = OUTCOMES.map((outcome) => ({ outcome, sum: series[outcome].reduce((sum, count) => sum + count, 0) }))
  const words = sums.map(({ outcome, sum }) => `${sum} ${outcome}`).join(', ')
  return html`
    <ul class="legend" aria-label="Verdicts of the last 10 minutes">
      ${sums.map(({ outcome, sum }) => html`<li><span class="swatch ${outcome}"></span>${sum} ${outcome}</li>`)}
    </ul>
    <div role="img" aria-label=${`Verdicts each 10 seconds: ${words}`}>${chart({ starts, series })}</div>
  `
}

function sinceLine({ summary }: State): TemplateResult | typeof nothing {
  if (summary === null) return nothing
  const { since, actions, checks } = summary.verdicts
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none'
  return html`<p class="quiet">Since ${moment(since)}: ${foreign(list(actions), 200)}; decided by check: ${foreign(list(checks), 200)}.</p>`
}
