import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './protocol.ts'

/** What a {@link Slot} needs to start. */
export type SlotOptions = {
  readonly entry: URL
  readonly startMs: number
  readonly stackBytes: number
  readonly maxHeapBytes: number
}

/** The answer to a job. */
export type SlotAnswer<Result> = Exclude<FromWorker<Result>, { readonly kind: 'ready' }>

/** What a {@link Slot} tells its pool. After `gone` it tells nothing more. */
export type SlotListener<Result> = {
  ready(): void
  answer(message: SlotAnswer<Result>): void
  /** The thread ended by itself: `error` is the class of its error, or its exit code; `wasReady` tells whether it had warmed up. */
  gone(error: string, wasReady: boolean): void
}

const MIB = 1024 * 1024

/** One thread from its start to its end. */
export class Slot<Job, Result> {
  /** True once it has warmed up and until it is stopped. */
  ready = false
  /** Its heap as it said last. */
  heapBytes = 0
  /** Jobs that it answered. */
  answered = 0
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #listener: SlotListener<Result>
  readonly #startTimer: NodeJS.Timeout
  #over = false

  constructor(options: SlotOptions, listener: SlotListener<Result>) {
    const { port1, port2 } = new MessageChannel()
    this.#listener = listener
    this.#port = port1
    this.#worker = new Worker(options.entry, {
      workerData: port2,
      transferList: [port2],
      // the environment holds provider keys, and what judges an agent's text needs none of it
      env: {},
      execArgv: [],
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(options.maxHeapBytes / MIB),
        maxYoungGenerationSizeMb: 8,
        stackSizeMb: Math.ceil(options.stackBytes / MIB),
      },
    })
    this.#startTimer = setTimeout(() => this.#end('StartTimeout'), options.startMs).unref()
    this.#worker.on('error', (error: unknown) => this.#end(error instanceof Error ? errorName(error) : typeof error))
    this.#worker.on('exit', (code) => this.#end(`exit ${code}`))
    this.#port.on('message', (message: FromWorker<Result>) => this.#take(message))
    this.#worker.unref()
    this.#port.unref()
  }

  /** @throws DataCloneError for a job that is not plain data. */
  send(message: ToWorker<Job>): void {
    this.#port.postMessage(message)
  }

  /** Takes an answer that has come but waits for its turn of the event loop. */
  poll(): void {
    const received = receiveMessageOnPort(this.#port)
    // the other end of this port is `serve`, which sends nothing else
    if (received !== undefined) this.#take(received.message as FromWorker<Result>)
  }

  /** Ends the thread, whatever it does. Idempotent. */
  async stop(): Promise<void> {
    this.#close()
    await this.#worker.terminate()
  }

  #take(message: FromWorker<Result>): void {
    if (this.#over) return
    if (message.kind !== 'failed') this.heapBytes = message.heapBytes
    if (message.kind === 'done') this.answered++
    if (message.kind === 'ready') {
      clearTimeout(this.#startTimer)
      this.ready = true
      this.#listener.ready()
    } else this.#listener.answer(message)
  }

  #end(error: string): void {
    if (this.#over) return
    const wasReady = this.ready
    this.#close()
    this.#listener.gone(error, wasReady)
  }

  #close(): void {
    this.#over = true
    this.ready = false
    clearTimeout(this.#startTimer)
    this.#port.close()
  }
}

function errorName(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
