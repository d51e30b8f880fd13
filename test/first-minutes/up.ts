import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { killGroup, type Place } from './commands.ts'

/** A process that was started as the README says. */
export type Up = {
  /** From the start of the command to the first token of an answer, ms. */
  readonly firstTokenMs: number
  /** Ends it in order; resolves to its exit status. */
  stop(): Promise<number>
}

/** npx may have to load a Node first. */
const READY_MS = 240_000

/** Starts `… up --simulate`, reads base URL and token from the lines that it prints, and waits for the first token. */
export async function upSimulated(place: Place, words: readonly string[]): Promise<Up> {
  const [program = '', ...args] = words
  const started = performance.now()
  const child = spawn(program, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const ended = once(child, 'exit')
  let out = ''
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    err += chunk
  })
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    out += chunk
  })
  const exported = async (name: string): Promise<string> => {
    for (;;) {
      const value = new RegExp(`export ${name}=(\\S+)\\n`).exec(out)?.[1]
      if (value !== undefined) return value
      if (child.exitCode !== null || performance.now() - started > READY_MS)
        throw new Error(`${words.join(' ')}: no ready lines\n${out}${err}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const stop = async (): Promise<number> => {
    killGroup(child, 'SIGTERM')
    const late = setTimeout(() => killGroup(child), 15_000)
    await ended
    clearTimeout(late)
    return child.exitCode ?? -1
  }
  try {
    const [url, token] = [await exported('OPENAI_BASE_URL'), await exported('OPENAI_API_KEY')]
    await firstToken(url, token)
    return { firstTokenMs: performance.now() - started, stop }
  } catch (error) {
    killGroup(child)
    throw error
  }
}

async function firstToken(baseUrl: string, token: string): Promise<void> {
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ model: 'gpt-5', stream: true, messages: [{ role: 'user', content: 'a haiku' }] }),
  })
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${await answer.text()}`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of answer.body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    if (/"content":"[^"]/.test(text)) return
  }
  throw new Error(`no token came: ${text.slice(0, 500)}`)
}
