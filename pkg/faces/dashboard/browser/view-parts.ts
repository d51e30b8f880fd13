import { repeat } from 'lit/directives/repeat.js'
import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { LifecycleState, VerdictRecord } from '#pkg/model'
import type { App } from './app.ts'
import { outcomeOf } from './buckets.ts'
import { agentHref } from './route.ts'
import { foreign, foreignOr, moment } from './text.ts'

/** An agent's name, as a link where it is made of DNS labels. */
export function agentLink(key: string): TemplateResult {
  const href = agentHref(key)
  return href === null ? foreign(key) : html`<a href=${href}>${foreign(key)}</a>`
}

/** A state in words and colour. */
export function stateBadge(state: LifecycleState): TemplateResult {
  return html`<span class="badge ${state.toLowerCase()}">${state}</span>`
}

/** What was decided; what was not carried out says so. */
export function actionBadge(record: VerdictRecord): TemplateResult {
  return html`<span class="badge ${outcomeOf(record)}">${record.action}</span>${record.enforced ? nothing : html` <span class="quiet">audit</span>`}`
}

/** A table of verdicts. Each row opens its details, by a click or by its button. */
export function verdictTable(app: App, records: readonly VerdictRecord[], caption: string): TemplateResult {
  return html`<div class="scroll">
    <table class="verdicts">
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Action</th>
          <th scope="col">Agent</th>
          <th scope="col">Tool</th>
          <th scope="col">Reason</th>
          <th scope="col" class="wide">Way</th>
          <th scope="col" class="wide number">µs</th>
        </tr>
      </thead>
      <tbody>
        ${repeat(
          records,
          ({ id }) => id,
          (record) => row(app, record),
        )}
      </tbody>
    </table>
  </div>`
}

function row({ state, actions }: App, record: VerdictRecord): TemplateResult {
  const open = (event: Event): void => {
    if (event.target instanceof Element && event.target.closest('a') !== null) return
    actions.open(record)
  }
  const { view } = state
  const isOwn = view.name === 'agent' && record.agent === `${view.namespace}/${view.agent}`
  return html`<tr class="opens" data-id=${record.id} @click=${open}>
    <td><button type="button" class="link" aria-label=${`Details of verdict ${record.id}`}>${moment(record.time)}</button></td>
    <td>${actionBadge(record)}</td>
    <td>${record.agent === null ? '–' : isOwn ? foreign(record.agent) : agentLink(record.agent)}</td>
    <td class="tool">${foreignOr(record.tool, 48)}</td>
    <td class="reason">${reasonText(record.reasons[0] ?? '–')}${record.reasons.length > 1 ? ` +${record.reasons.length - 1}` : ''}</td>
    <td class="wide">${record.dialect} ${record.direction}</td>
    <td class="wide number">${record.us}</td>
  </tr>`
}

/** A reason code, which may be broken behind its underscores. */
function reasonText(code: string): readonly unknown[] {
  return code.split('_').map((word, at) => (at === 0 ? word : html`_<wbr />${word}`))
}

/** The text of the field that an event came from. */
export function inputText(event: Event): string {
  const { currentTarget: field } = event
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : ''
}

/** Rows of names and values. */
export function facts(rows: readonly (readonly [name: string, value: unknown])[]): TemplateResult {
  return html`<dl>
    ${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`
}

/** Shows a dialog as soon as it is there: the browser then keeps the focus in it, and Escape closes it. */
export function showDialog(dialog: Element | undefined): void {
  queueMicrotask(() => {
    // it is not in the page yet when it is made
    if (dialog instanceof HTMLDialogElement && dialog.isConnected && !dialog.open) dialog.showModal()
  })
}
