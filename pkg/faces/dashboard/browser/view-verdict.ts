import { ref } from 'lit/directives/ref.js'
import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { App } from './app.ts'
import { foreign, foreignOr } from './text.ts'
import { actionBadge, agentLink, facts, showDialog } from './view-parts.ts'

/** All that is on record of one verdict. Escape closes it. */
export function verdictDialog({ state, actions }: App): TemplateResult | typeof nothing {
  const { detail } = state
  if (detail === null) return nothing
  const close = (event: Event): void => {
    if (event.currentTarget instanceof Element) event.currentTarget.closest('dialog')?.close()
  }
  return html`<dialog aria-labelledby="verdict-title" ${ref(showDialog)} @close=${actions.closeDetail}>
    <div class="dialog-head">
      <h2 id="verdict-title">Verdict ${foreign(detail.id)}</h2>
      <button type="button" autofocus @click=${close}>Close</button>
    </div>
    ${detail.message === '' ? nothing : html`<p class="message">${foreign(detail.message, 2_000)}</p>`}
    ${facts([
      ['Time', detail.time],
      ['Agent', detail.agent === null ? '–' : html`<span @click=${close}>${agentLink(detail.agent)}</span>`],
      ['Action', actionBadge(detail)],
      ['Enforced', detail.enforced ? 'yes' : 'no (Audit mode)'],
      ['Tool', foreignOr(detail.tool, 200)],
      ['Reasons', detail.reasons.join(', ') || '–'],
      ['Check', detail.check ?? '–'],
      ['Policy', foreignOr(detail.policy)],
      ['Rule', foreignOr(detail.rule, 200)],
      ['Dialect', detail.dialect],
      ['Direction', detail.direction],
      ['Session', foreignOr(detail.session)],
      ['Judged in', `${detail.us} µs`],
      ['Generation', detail.generation],
      ['Epoch', detail.epoch],
      ...(detail.caller === undefined ? [] : [['Caller', foreign(detail.caller, 200)] as const]),
    ])}
    <p>What decided, and what would change it:</p>
    <pre><code>sallyctl policy explain ${foreign(detail.id)}</code></pre>
  </dialog>`
}
