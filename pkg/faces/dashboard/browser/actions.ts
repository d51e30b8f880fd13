import type { Actions, State } from './app.ts'
import type { Desk } from './desk.ts'

/** What a person does, as a change of the state. `desk` asks the process; null while nobody is in. */
export function newActions(state: State, desk: () => Desk | null, changed: () => void): Actions {
  const does =
    <Given extends readonly unknown[]>(change: (...given: Given) => void): ((...given: Given) => void) =>
    (...given) => {
      change(...given)
      changed()
    }
  return {
    filter: does((change) => {
      state.filter = { ...state.filter, ...change }
      state.offset = 0
    }),
    filterAgents: does((change) => {
      state.agentFilter = { ...state.agentFilter, ...change }
    }),
    step: does((offset) => {
      state.offset = offset
    }),
    togglePause: does(() => {
      if (state.list.waiting === null) state.list.pause()
      else state.list.resume()
    }),
    open: does((record) => {
      state.detail = record
    }),
    closeDetail: does(() => {
      state.detail = null
    }),
    begin: does((verb, { namespace, name, epoch }) => {
      state.moved = null
      state.move = { verb, key: `${namespace}/${name}`, epoch, sending: false, fault: null }
    }),
    confirm: (reason) => void desk()?.move(reason),
    closeMove: does(() => {
      state.move = null
    }),
  }
}
