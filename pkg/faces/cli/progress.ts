import type { CliDeps, Globals } from './ports.ts'

const FRAMES = ['|', '/', '-', '\\'] as const
const TURN_MS = 120
const CLEAR = '\r\u001b[K'

/** Something that takes a while. `stop` takes the line away again. */
export type Progress = { say(text: string): void; stop(): void }

const SILENT: Progress = { say: () => {}, stop: () => {} }

/** True where a person watches: stderr is a terminal, and the result is no JSON or YAML. */
export function isWatched(deps: CliDeps, globals: Globals): boolean {
  return deps.isTerminal === true && globals.output !== 'json' && globals.output !== 'yaml'
}

/** A turning mark and a text of our own on stderr, where a person watches; elsewhere nothing at all. */
export function startProgress(deps: CliDeps, globals: Globals, text: string): Progress {
  if (!isWatched(deps, globals)) return SILENT
  let now = text
  let turn = 0
  const draw = (): void => {
    deps.stderr(`${CLEAR}${FRAMES[turn % FRAMES.length]} ${now}`)
    turn += 1
  }
  draw()
  const timer = setInterval(draw, TURN_MS)
  timer.unref()
  return {
    say: (next) => {
      now = next
    },
    stop: () => {
      clearInterval(timer)
      deps.stderr(CLEAR)
    },
  }
}
