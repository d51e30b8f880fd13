import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { App, State } from './app.ts'
import { foreign } from './text.ts'
import { agentView } from './view-agent.ts'
import { moveDialog } from './view-move.ts'
import { overviewView } from './view-overview.ts'
import { verdictDialog } from './view-verdict.ts'
import { verdictsView } from './view-verdicts.ts'

/** The whole page. */
export function page(app: App): TemplateResult {
  const { access } = app.state
  if (access.kind === 'asking') return html`<main class="gate"><h1>Sallyport</h1><p role="status">Opening…</p></main>`
  if (access.kind === 'out') return gate(access.fault)
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    ${header(app)}
    <main id="main" tabindex="-1">${view(app)}</main>
    ${verdictDialog(app)} ${moveDialog(app)}
  `
}

function gate(fault: string | null): TemplateResult {
  return html`<main class="gate">
    <h1>Sallyport</h1>
    ${fault === null ? nothing : html`<p role="alert" class="fault">${fault}</p>`}
    <p>To open the dashboard, run this as the user who runs the firewall, and follow its link within a minute:</p>
    <pre><code>sallyctl dashboard</code></pre>
    <p class="quiet">Each link works once. If yours was used and it was not you, end the firewall's process: no session outlives it.</p>
  </main>`
}

function header({ state, actions }: App): TemplateResult {
  const { view: shown } = state
  const link = (name: string, href: string, is: boolean): TemplateResult =>
    html`<a href=${href} aria-current=${is ? 'page' : nothing}>${name}</a>`
  return html`<header>
    <p class="brand">Sallyport</p>
    <nav aria-label="Views">
      ${link('Overview', '#/overview', shown.name === 'overview')} ${link('Verdicts', '#/verdicts', shown.name === 'verdicts')}
      ${shown.name === 'agent' ? link(`${shown.namespace}/${shown.agent}`, `#/agents/${shown.namespace}/${shown.agent}`, true) : nothing}
    </nav>
    <p class="health">${health(state)}</p>
    <p class="connection" role="status" aria-live="polite">${connection(state)}</p>
    <button type="button" class="pause" @click=${actions.togglePause}>
      ${state.list.waiting === null ? 'Pause' : `Resume (${state.list.waiting} waiting)`}
    </button>
  </header>`
}

/** The words alone are announced: how many wait stands at the button, or a screen reader would read each number. */
function connection(state: State): TemplateResult {
  if (state.connection === 'reconnecting')
    return html`<span class="dot warn"></span>Reconnecting…
      ${state.connectionFault === null ? nothing : foreign(state.connectionFault, 160)}`
  if (state.connection === 'connecting') return html`<span class="dot"></span>Connecting…`
  return state.list.waiting === null
    ? html`<span class="dot good"></span>Live`
    : html`<span class="dot warn"></span>Paused`
}

function health({ summary }: State): TemplateResult {
  if (summary === null) return html`<span class="dot"></span>Health unknown`
  const { ok, reasons } = summary.health
  if (ok) return html`<span class="dot good"></span>Healthy`
  return html`<span class="dot bad"></span>Not healthy: ${reasons.map((reason) => html`${foreign(reason, 120)} `)}`
}

function view(app: App): TemplateResult {
  const { view: shown } = app.state
  if (shown.name === 'verdicts') return verdictsView(app)
  return shown.name === 'agent' ? agentView(app, `${shown.namespace}/${shown.agent}`) : overviewView(app)
}

/** A hash is a view here, so the link moves the focus itself. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
