import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { Action } from '#pkg/model'
import type { App } from './app.ts'
import { isWanted, NO_FILTER } from './verdict-list.ts'
import { inputText, verdictTable } from './view-parts.ts'

const ACTIONS: readonly Action[] = ['Allow', 'Record', 'Redact', 'Hold', 'Deny', 'Abort', 'Sever']
/** Rows that are rendered at a time. */
const WINDOW = 100

/** The live table with its filters. */
export function verdictsView(app: App): TemplateResult {
  const { state } = app
  const all = state.list.shown()
  const found = all.filter((record) => isWanted(record, state.filter))
  return html`
    <h1 tabindex="-1">Verdicts</h1>
    ${filters(app)}
    <p class="quiet">
      ${found.length} of the newest ${all.length} verdicts${state.list.waiting === null ? nothing : ', as they were at the pause'}
    </p>
    ${found.length === 0 ? html`<p>${all.length === 0 ? 'No verdict yet.' : 'No verdict fits the filter.'}</p>` : verdictTable(app, found.slice(state.offset, state.offset + WINDOW), 'Verdicts, newest first')}
    ${steps(app, found.length)}
  `
}

function filters({ state, actions }: App): TemplateResult {
  const { filter } = state
  const reasons = new Set(state.list.all().flatMap((record) => record.reasons))
  const agents = [...state.agents.keys()].sort()
  return html`<form class="filters" aria-label="Filter" @submit=${(event: Event) => event.preventDefault()}>
    ${choice('Agent', filter.agent, agents, (agent) => actions.filter({ agent }))}
    ${choice('Action', filter.action, ACTIONS, (action) => actions.filter({ action }))}
    ${choice('Reason', filter.reason, [...reasons].sort(), (reason) => actions.filter({ reason }))}
    <label>Tool <input type="search" .value=${filter.tool} @input=${(event: Event) => actions.filter({ tool: inputText(event) })} /></label>
    <button type="button" @click=${() => actions.filter(NO_FILTER)}>Clear</button>
  </form>`
}

function choice(
  label: string,
  chosen: string,
  known: readonly string[],
  choose: (value: string) => void,
): TemplateResult {
  const options = chosen === '' || known.includes(chosen) ? known : [chosen, ...known]
  return html`<label>
    ${label}
    <select @change=${(event: Event) => choose(inputText(event))}>
      <option value="" ?selected=${chosen === ''}>all</option>
      ${options.map((option) => html`<option value=${option} ?selected=${option === chosen}>${option}</option>`)}
    </select>
  </label>`
}

function steps({ state, actions }: App, found: number): TemplateResult | typeof nothing {
  if (found <= WINDOW && state.offset === 0) return nothing
  const last = Math.min(found, state.offset + WINDOW)
  return html`<p class="steps">
    <button type="button" ?disabled=${state.offset === 0} @click=${() => actions.step(Math.max(0, state.offset - WINDOW))}>Newer</button>
    <span>${Math.min(found, state.offset + 1)}–${last} of ${found}</span>
    <button type="button" ?disabled=${last >= found} @click=${() => actions.step(state.offset + WINDOW)}>Older</button>
  </p>`
}
