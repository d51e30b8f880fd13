import type { AgentAnswer, IdentityAnswer, MoveAnswer } from '#pkg/faces/admin'
import type { VerdictRecord } from '#pkg/model'
import { type Api, ApiFault, faultText } from './api.ts'
import type { State, Summary } from './app.ts'
import type { ServerEvent } from './sse.ts'
import { followStream } from './stream.ts'

/** What the desk works with. `changed` has the page drawn again. */
export type DeskDeps = {
  readonly state: State
  readonly api: Api
  readonly token: string
  readonly changed: () => void
}

/** Keeps the state true to the process, and carries out moves. */
export type Desk = {
  /** Another view is shown: what it needs is asked for. */
  viewChanged(): void
  /** Carries out the move that is open. */
  move(reason: string): Promise<void>
  stop(): void
}

const EVENTS = '/v1/events?limit=1000'
const SUMMARY_EVERY_MS = 10_000
const IDENTITY_EVERY_MS = 15_000
/** Changes come as events; this is for what a tab that slept has missed. */
const AGENTS_EVERY_MS = 60_000

/** Begins at once. `refused`: the token opens nothing any more. */
export function newDesk(deps: DeskDeps, refused: () => void): Desk {
  const { state, changed } = deps
  const stopStream = followStream({ fetch: fetch.bind(globalThis), token: deps.token, random: Math.random }, EVENTS, {
    opened: () => {
      state.connection = 'live'
      state.connectionFault = null
      void readAgents(deps)
      void readSummary(deps)
      changed()
    },
    event: (event) => {
      take(deps, event)
      changed()
    },
    lost: (_waitMs, fault) => {
      state.connection = 'reconnecting'
      state.connectionFault = fault
      changed()
    },
    refused,
  })
  const timers = [
    setInterval(() => void readSummary(deps), SUMMARY_EVERY_MS),
    setInterval(() => void readIdentity(deps), IDENTITY_EVERY_MS),
    setInterval(() => void readAgents(deps), AGENTS_EVERY_MS),
  ]
  void readIdentity(deps)
  return {
    viewChanged: () => void readIdentity(deps),
    move: (reason) => carryOut(deps, reason),
    stop: () => {
      stopStream()
      for (const timer of timers) clearInterval(timer)
    },
  }
}

function take(deps: DeskDeps, { event, data }: ServerEvent): void {
  const { state } = deps
  if (event === 'verdict') {
    const record: VerdictRecord = JSON.parse(data)
    if (state.list.add(record)) state.buckets.add(record)
  } else if (event === 'agent') {
    const agent: AgentAnswer = JSON.parse(data)
    keepAgent(deps, agent)
  } else if (event === 'agent-gone') {
    const { namespace, name }: Pick<AgentAnswer, 'namespace' | 'name'> = JSON.parse(data)
    state.agents.delete(`${namespace}/${name}`)
  } else if (event === 'reset') {
    state.list.clear()
    state.buckets.clear()
    void readAgents(deps)
  }
}

function keepAgent(deps: DeskDeps, agent: AgentAnswer): void {
  const { state } = deps
  const key = `${agent.namespace}/${agent.name}`
  const before = state.agents.get(key)
  state.agents.set(key, agent)
  if (shownAgent(state) === key && (before?.state !== agent.state || before.epoch !== agent.epoch))
    void readIdentity(deps)
}

async function readAgents({ state, api, changed }: DeskDeps): Promise<void> {
  try {
    const all = await api.get<readonly AgentAnswer[]>('/v1/agents')
    state.agents.clear()
    for (const agent of all) state.agents.set(`${agent.namespace}/${agent.name}`, agent)
    state.agentsFault = null
  } catch (error) {
    state.agentsFault = faultText(error)
  }
  changed()
}

async function readSummary({ state, api, changed }: DeskDeps): Promise<void> {
  if (document.visibilityState !== 'visible') return
  try {
    state.summary = await api.get<Summary>('/v1/summary')
  } catch {
    state.summary = null // the head of the page says that the health is unknown
  }
  changed()
}

async function readIdentity({ state, api, changed }: DeskDeps): Promise<void> {
  const key = shownAgent(state)
  if (key === null || document.visibilityState !== 'visible') return
  try {
    state.identity = { key, held: await api.get<IdentityAnswer>(`/v1/identities/${key}`), fault: null }
  } catch (error) {
    state.identity = { key, held: null, fault: error instanceof ApiFault ? error.message : faultText(error) }
  }
  changed()
}

/** A release covers the holds that the person saw: one that was raised meanwhile survives. */
async function carryOut(deps: DeskDeps, reason: string): Promise<void> {
  const { state, api, changed } = deps
  const { move } = state
  if (move === null || move.sending) return
  state.move = { ...move, sending: true, fault: null }
  changed()
  const { key, verb, epoch } = move
  const body = verb === 'release' || verb === 'reinstate' ? { reason, throughEpoch: epoch } : { reason }
  try {
    state.moved = await api.post<MoveAnswer>(`/v1/agents/${key}/${verb}`, body)
    document.querySelector('dialog')?.close()
    document.querySelector<HTMLElement>('main h1')?.focus() // the button that began it may be another verb's now
    state.move = null
    keepAgent(deps, await api.get<AgentAnswer>(`/v1/agents/${key}`))
  } catch (error) {
    if (state.move !== null) state.move = { ...move, sending: false, fault: faultText(error) }
    else state.agentsFault = faultText(error)
  }
  changed()
}

function shownAgent({ view }: State): string | null {
  return view.name === 'agent' ? `${view.namespace}/${view.agent}` : null
}
