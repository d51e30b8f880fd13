/** The load client of the bench, in its own process: takes one {@link Phase} at a time by IPC, answers with what it measured. */
import { Agent, request as openRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { STAMP_DIGITS, STAMP_MARK, salted, saltPlaces, TEXT_EVENTS } from './workload.ts'

/** What to do against which system, for how long. */
export type Phase = {
  /** `calls`: one request after the other on one connection, each timed. */
  readonly kind: 'streams' | 'requests' | 'calls'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Streams or connections at a time. */
  readonly concurrency: number
  readonly durationMs: number
  /** Of streams: between two events, and how many of them have stamps. */
  readonly paceMs: number
  readonly stamped: number
}

/** Times in µs. */
export type Measured = {
  /** Streams or requests that were answered whole, and the time that all of it took, ms. */
  readonly done: number
  readonly elapsedMs: number
  /** Request sent → first event, or whole answer of a call, received. */
  readonly firstEvent: readonly number[]
  /** Text event sent → received. */
  readonly textDelay: readonly number[]
  /** Event that closes the call sent → received. The call's bytes leave before it. */
  readonly closeDelay: readonly number[]
}

export type LoadReply = { readonly measured: Measured } | { readonly error: string }

type Samples = { firstEvent: number[]; textDelay: number[]; closeDelay: number[] }

const nowNs = (): number => {
  const [seconds, nanos] = process.hrtime()
  return seconds * 1e9 + nanos
}

async function streams(phase: Phase): Promise<Measured> {
  const samples: Samples = { firstEvent: [], textDelay: [], closeDelay: [] }
  const agent = new Agent({ keepAlive: true, maxSockets: phase.concurrency, maxFreeSockets: phase.concurrency })
  const started = performance.now()
  let done = 0
  const worker = async (index: number) => {
    // Streams start spread over the length of one, as independent agents would.
    await new Promise((resolve) => setTimeout(resolve, (index * phase.paceMs * phase.stamped) / phase.concurrency))
    while (performance.now() - started < phase.durationMs) {
      await oneStream(phase, agent, samples)
      done++
    }
  }
  await Promise.all(Array.from({ length: phase.concurrency }, (_, index) => worker(index)))
  agent.destroy()
  return { done, elapsedMs: performance.now() - started, ...samples }
}

function oneStream(phase: Phase, agent: Agent, samples: Samples): Promise<void> {
  const { body, stamped } = phase
  const url = new URL(phase.url)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...phase.headers,
  }
  return new Promise((resolve, reject) => {
    const asked = nowNs()
    const request = openRequest({
      host: url.hostname,
      port: url.port,
      path: url.pathname + url.search,
      method: 'POST',
      headers,
      agent,
    })
    request.once('error', reject)
    request.once('response', (response) => {
      const reader = newStampReader(asked, stamped, samples)
      response.on('data', (data: Buffer) => reader.push(data, nowNs()))
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200 && reader.seen === stamped) resolve()
        else reject(new Error(`status ${response.statusCode}, ${reader.seen} of ${stamped} events: ${reader.tail}`))
      })
    })
    request.end(body)
  })
}

/** Finds the stamps in a body as it arrives, and sorts their delays by what the event was. */
function newStampReader(asked: number, stamped: number, samples: Samples) {
  let carry = ''
  let seen = 0
  const note = (sent: number, received: number) => {
    if (seen === 0) samples.firstEvent.push((received - asked) / 1_000)
    else if (seen <= TEXT_EVENTS) samples.textDelay.push((received - sent) / 1_000)
    else if (seen === stamped - 1) samples.closeDelay.push((received - sent) / 1_000)
    seen++
  }
  return {
    push(data: Buffer, received: number): void {
      carry += data.toString('latin1')
      let from = 0
      for (;;) {
        const at = carry.indexOf(STAMP_MARK, from)
        const start = at + STAMP_MARK.length
        if (at < 0 || carry.length < start + STAMP_DIGITS) break
        note(Number(carry.slice(start, start + STAMP_DIGITS)), received)
        from = start + STAMP_DIGITS
      }
      carry = carry.slice(from).slice(-2_048)
    },
    get seen() {
      return seen
    },
    get tail() {
      return carry.slice(-300)
    },
  }
}

function requestOf({ url: text, headers, body }: Phase): { readonly url: URL; readonly bytes: Buffer } {
  const url = new URL(text)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const bytes = Buffer.from(
    `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
      `${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  return { url, bytes }
}

async function requests(phase: Phase): Promise<Measured> {
  const { url, bytes } = requestOf(phase)
  const started = performance.now()
  const end = started + phase.durationMs
  const firstEvent: number[] = []
  const timed = phase.kind === 'calls' ? firstEvent : null
  const loops = Array.from({ length: phase.concurrency }, () => closedLoop(url, bytes, end, timed))
  const counts = await Promise.all(loops)
  const done = counts.reduce((sum, count) => sum + count, 0)
  return { done, elapsedMs: performance.now() - started, firstEvent, textDelay: [], closeDelay: [] }
}

/** One connection that sends its next request when the last answer is whole. Resolves with the number of answers; their times go to `timed`. */
function closedLoop(url: URL, request: Buffer, end: number, timed: number[] | null): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    let buffered = ''
    let answers = 0
    let asked = 0
    const salts = saltPlaces(request)
    const ask = () => {
      asked = nowNs()
      socket.write(salted(request, salts, asked))
    }
    socket.once('connect', ask)
    socket.once('error', reject)
    socket.once('close', () =>
      performance.now() < end ? reject(new Error('the connection was closed')) : resolve(answers),
    )
    socket.on('data', (data) => {
      buffered += data.toString('latin1')
      const length = answerLength(buffered)
      if (length === null || buffered.length < length) return
      if (!buffered.startsWith('HTTP/1.1 200')) return reject(new Error(buffered.slice(0, 400)))
      buffered = buffered.slice(length)
      answers++
      timed?.push((nowNs() - asked) / 1_000)
      if (performance.now() < end) ask()
      else socket.end(() => resolve(answers))
    })
  })
}

/** Length of the first answer in the text, or null while it is not known. */
function answerLength(text: string): number | null {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1]
  if (length !== undefined) return headEnd + 4 + Number(length)
  const last = text.indexOf('\r\n0\r\n\r\n', headEnd)
  return last < 0 ? null : last + 7
}

process.on('message', (phase: Phase) => {
  const run = phase.kind === 'streams' ? streams(phase) : requests(phase)
  run.then(
    (measured) => process.send?.({ measured }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.once('disconnect', () => process.exit(0))
