import { serve } from './serve.ts'

/** What a job of this entry asks its thread to do. */
export type Misdeed =
  | { readonly do: 'echo'; readonly text: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'environment' }
  | { readonly do: 'hang' }
  | { readonly do: 'throw' }
  | { readonly do: 'throw-later' }
  | { readonly do: 'exit' }
  | { readonly do: 'grow'; readonly bytes: number }
  | { readonly do: 'grow-wasm'; readonly bytes: number }
  | { readonly do: 'run-out-of-memory' }
  | { readonly do: 'unsendable' }

// the compiler is given no library of the browser, which is where it looks for WASM
const { Memory } = (
  globalThis as unknown as { WebAssembly: { Memory: new (options: { initial: number }) => { buffer: ArrayBuffer } } }
).WebAssembly

const kept: unknown[] = []
const started = `thread ${process.hrtime.bigint()}`

const deeds: { [Deed in Misdeed['do']]: (job: Extract<Misdeed, { do: Deed }>) => unknown } = {
  echo: (job) => job.text,
  wait: (job) => new Promise((resolve) => setTimeout(() => resolve('waited'), job.ms)),
  environment: () => JSON.stringify(process.env),
  hang: () => {
    for (;;) kept.length = 0
  },
  throw: () => {
    throw new TypeError('the text of the job must not leave')
  },
  'throw-later': () => {
    setImmediate(() => {
      throw new RangeError('outside of the handler')
    })
    return new Promise(() => {})
  },
  exit: () => process.exit(3),
  grow: (job) => kept.push(new Uint8Array(job.bytes)) && started,
  'grow-wasm': (job) => kept.push(new Memory({ initial: Math.ceil(job.bytes / 65_536) }).buffer) && started,
  'run-out-of-memory': () => {
    for (;;) kept.push(new Array(100_000).fill(kept.length))
  },
  unsendable: () => () => 'a function cannot be sent',
}

serve<Misdeed, unknown>({
  // each deed takes its own kind of job, which `job.do` proves and the compiler cannot follow
  handle: (job) => (deeds[job.do] as (job: Misdeed) => unknown)(job),
})
