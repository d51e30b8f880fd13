/** A real `sallyctl up`, a provider whose model calls what it is told to, and a browser on the dashboard. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { VerdictRecord } from '#pkg/model'
import { callDeltas, streamOf } from '../fixtures/chat.ts'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'
import { startChromium } from './chromium.ts'
import { type Relay, startRelay } from './relay.ts'

export const AGENT = 'growth/marketing'
/** A name with markup that would run, and one that is turned around. The policy writes both, so they are on record as they are. */
export const MARKUP = `<img src=x onerror="document.title='run'">`
export const TURNED = 'pay\u202egnp.exe'

const POLICIES = `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing, namespace: growth, labels: { app: marketing-agent } }
spec: { state: Active }
---
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: research, namespace: growth, labels: { app: research-agent } }
spec: { state: Suspended, reason: ${JSON.stringify(`${MARKUP} not yet`)} }
---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec:
  selector: { matchLabels: { app: marketing-agent } }
  role: marketing
  llm: { providers: [{ name: openai, type: OpenAI, models: ["gpt-5*"] }] }
  intents: { allow: [sql.read] }
  tools:
    allow:
    - { name: search_docs }
    - { name: run_sql, intents: [sql.read] }
    deny:
    - { name: ${JSON.stringify(MARKUP)} }
    - { name: ${JSON.stringify(TURNED)} }
`

/** What the model calls. */
export type ToolCall = { readonly name: string; readonly args: object }

export const SEARCH: ToolCall = { name: 'search_docs', args: { query: 'tulips' } }
export const READ: ToolCall = { name: 'run_sql', args: { query: 'SELECT name FROM campaigns' } }
export const DROP: ToolCall = { name: 'run_sql', args: { query: 'DROP TABLE customers' } }

export type Stage = {
  readonly running: Running
  readonly browser: Browser
  readonly relay: Relay
  /** The agent asks, and its model calls these. Resolves once the answer has ended. */
  ask(calls: readonly ToolCall[]): Promise<void>
  /** A page on a fresh link, in a context of its own. What breaks the page's rules is in `faults`. */
  open(options?: BrowserContextOptions): Promise<Opened>
  /** `sallyctl WORDS -o json`, parsed. */
  cli<T>(...words: readonly string[]): Promise<T>
  close(): Promise<void>
}

export type Opened = { readonly page: Page; readonly faults: string[] }

/** `history`: what is on record from before. */
export async function newStage(history: readonly VerdictRecord[] = []): Promise<Stage> {
  const undo: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const each of undo.splice(0).reverse()) await each()
  }
  try {
    return { ...(await setUp(history, undo)), close }
  } catch (error) {
    await close() // a process that is left behind would keep the tests from ending
    throw error
  }
}

async function setUp(history: readonly VerdictRecord[], undo: (() => unknown)[]): Promise<Omit<Stage, 'close'>> {
  const mock = await startProvider()
  undo.push(() => mock.close())
  const dataDir = mkdtempSync(join(tmpdir(), 'sp-browser-'))
  writeFileSync(join(dataDir, 'verdicts.jsonl'), history.map((record) => `${JSON.stringify(record)}\n`).join(''), {
    mode: 0o600,
  })
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
  const running = await startSallyctl({ policies: { 'a.yaml': POLICIES }, upstream: `${mock.url}/v1`, dataDir })
  undo.push(async () => {
    await running.stop('SIGKILL')
    rmSync(dirname(running.policiesDir), { recursive: true, force: true })
  })
  const port = Number(new URL(running.ready.admin).port)
  const relay = await startRelay(port)
  undo.push(() => relay.close())
  const browser = await startChromium({ from: port, to: relay.port })
  undo.push(() => browser.close())
  const cli = async <T>(...words: readonly string[]): Promise<T> => {
    const ran = await spawned(SALLYCTL, [...words, '--data', running.dataDir, '-o', 'json'])
    assert.equal(ran.status, 0, ran.err)
    return JSON.parse(ran.out)
  }
  return {
    running,
    browser,
    relay,
    cli,
    ask: async (calls) => {
      const answer = await fetch(`${running.ready.facade}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${running.token(AGENT)}` },
        body: JSON.stringify({
          model: 'gpt-5-mini',
          stream: true,
          messages: [{ role: 'user', content: JSON.stringify(calls) }],
        }),
      })
      await answer.text()
    },
    open: async (options = {}) => {
      const { url } = await cli<{ url: string }>('dashboard')
      return await openAt(browser, url, options)
    },
  }
}

/** A page at an address; whatever a browser complains of is a fault. */
export async function openAt(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1_000, height: 680 }, ...options })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    // what is asked for while the stream is cut, or with a code that is over, is told as an error of the network
    if (message.type() === 'error' && !/Failed to load resource|net::ERR_/.test(message.text()))
      faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('dialog', (dialog) => void dialog.dismiss().then(() => faults.push('a dialog of the browser')))
  await page.exposeFunction('violated', (text: string) => void faults.push(text))
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      // `violated` is exposed above
      (globalThis as unknown as { violated(text: string): void }).violated(
        `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
      ),
    )
  })
  await page.goto(url)
  return { page, faults }
}

/** The calls that the model makes stand as JSON in what the agent says. */
function startProvider(): Promise<MockUpstream> {
  return startMockUpstream(async (request, reply) => {
    const { messages } = JSON.parse(request.body.toString('utf8'))
    const calls: readonly ToolCall[] = JSON.parse(messages[0].content)
    const deltas = calls.flatMap(({ name, args }, at) => callDeltas(at, name, JSON.stringify(args)))
    await reply.events([streamOf(deltas, 'tool_calls')])
  })
}
