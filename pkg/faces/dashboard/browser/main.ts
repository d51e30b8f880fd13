import { render } from 'lit/html.js'
import { forgetToken, openSession, storedToken, takeCode } from './access.ts'
import { newActions } from './actions.ts'
import { faultText, newApi } from './api.ts'
import type { State } from './app.ts'
import { newBuckets } from './buckets.ts'
import { type Desk, newDesk } from './desk.ts'
import { viewOf } from './route.ts'
import { NO_FILTER, newVerdictList } from './verdict-list.ts'
import { page } from './views-shell.ts'

const TICK_MS = 1_000

start()

/** Puts the page on the screen, and the person in by their code or by the session of this tab. */
function start(): void {
  const root = document.getElementById('app')
  if (root === null) return
  const code = takeCode()
  const state = firstState()
  let desk: Desk | null = null
  let isDue = false
  const draw = (): void => {
    isDue = false
    render(page({ state, actions }), root)
  }
  const changed = (): void => {
    if (!isDue) requestAnimationFrame(draw)
    isDue = true
  }
  const leave = (fault: string | null): void => {
    desk?.stop()
    desk = null
    forgetToken()
    state.access = { kind: 'out', fault }
    changed()
  }
  const enter = (token: string): void => {
    state.access = { kind: 'in' }
    state.connection = 'connecting'
    const api = newApi(token, () => leave('The session is over: it has ended, or the process was started anew.'))
    desk = newDesk({ state, api, token, changed }, () => leave('The session is over.'))
    changed()
  }
  const exchange = (given: string): void => {
    state.access = { kind: 'asking' }
    changed()
    openSession(given).then(enter, (error: unknown) => leave(faultText(error)))
  }
  const actions = newActions(state, () => desk, changed)
  const token = storedToken()
  if (code !== null) exchange(code)
  else if (token !== null) enter(token)
  else leave(null)
  window.addEventListener('hashchange', () => {
    const another = takeCode()
    if (another !== null) {
      desk?.stop()
      return exchange(another)
    }
    go(state, desk)
    draw()
    scrollTo(0, 0)
    document.querySelector<HTMLElement>('main h1')?.focus()
  })
  setInterval(() => {
    if (document.visibilityState === 'visible' && state.access.kind === 'in') changed()
  }, TICK_MS)
}

function go(state: State, desk: Desk | null): void {
  state.view = viewOf(location.hash)
  state.offset = 0
  state.detail = null
  state.move = null
  state.moved = null
  document.title = state.view.name === 'agent' ? `${state.view.agent} – Sallyport` : 'Sallyport'
  desk?.viewChanged()
}

function firstState(): State {
  return {
    access: { kind: 'asking' },
    view: viewOf(location.hash),
    connection: 'connecting',
    connectionFault: null,
    summary: null,
    agents: new Map(),
    agentsKnown: false,
    agentsFault: null,
    agentFilter: { text: '', state: '' },
    list: newVerdictList(),
    buckets: newBuckets(),
    filter: NO_FILTER,
    offset: 0,
    detail: null,
    identity: null,
    move: null,
    moved: null,
  }
}
