import { ref } from 'lit/directives/ref.js'
import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { App, Verb } from './app.ts'
import { foreign } from './text.ts'
import { showDialog } from './view-parts.ts'

/** What each verb does, before it is done. */
const MEANS: Readonly<Record<Verb, string>> = {
  quarantine: 'Its open exchanges are cut at once, and all that it asks for is refused until it is released.',
  suspend: 'Its open exchanges are cut at once, and it stays stopped until it is reinstated.',
  release: 'It may act again, once it has a fresh key. A hold that was raised after you looked stays.',
  reinstate: 'It may act again, once it has a fresh key. A hold that was raised after you looked stays.',
}
/** As the API takes it. */
const MAX_REASON = 512

/** Asks for the reason of a move. Escape leaves it undone. */
export function moveDialog({ state, actions }: App): TemplateResult | typeof nothing {
  const { move } = state
  if (move === null) return nothing
  const submit = (event: Event): void => {
    event.preventDefault()
    const { currentTarget: form } = event
    const reason = form instanceof HTMLFormElement ? new FormData(form).get('reason') : null
    if (typeof reason === 'string' && reason.trim() !== '') actions.confirm(reason.trim())
  }
  const cancel = (event: Event): void => {
    if (event.currentTarget instanceof Element) event.currentTarget.closest('dialog')?.close()
  }
  return html`<dialog aria-labelledby="move-title" aria-describedby="move-means" ${ref(showDialog)} @close=${actions.closeMove}>
    <form @submit=${submit}>
      <h2 id="move-title">${move.verb} ${foreign(move.key)}</h2>
      <p id="move-means">${MEANS[move.verb]}</p>
      <label class="block">Reason, which goes on record
        <textarea name="reason" required maxlength=${MAX_REASON} rows="3" autofocus></textarea>
      </label>
      ${move.fault === null ? nothing : html`<p role="alert" class="fault">${foreign(move.fault, 600)}</p>`}
      <p class="buttons">
        <button type="submit" class=${move.verb} ?disabled=${move.sending}>${move.sending ? 'Asking…' : move.verb}</button>
        <button type="button" @click=${cancel}>Cancel</button>
      </p>
    </form>
  </dialog>`
}
