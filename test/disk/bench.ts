/** A real process with its data folder on a small disk. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { streamOf, textDeltas } from '../fixtures/chat.ts'
import { type MockHandler, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST } from '../fixtures/policies.ts'
import { type Ran, SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'
import { openSmallDisk, type SmallDisk } from './small-disk.ts'

/** The agent of the tests. */
export const AGENT = 'growth/marketing'
/** What a full disk refuses with. */
export const CLOSED = 'AUDIT_UNAVAILABLE'

/** A small disk, and a data folder on it that is not there yet. */
export async function onSmallDisk(body: (disk: SmallDisk, dataDir: string) => Promise<void>): Promise<void> {
  const disk = openSmallDisk()
  try {
    await body(disk, join(disk.path, 'data'))
  } finally {
    disk.close()
  }
}

/** Waits until it holds. */
export async function until(holds: () => Promise<boolean> | boolean, what: string, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`not within ${withinMs} ms: ${what}`)
    await sleep(20)
  }
}

/** A command line that asks the process of that folder. */
export const cli = (dataDir: string, ...words: readonly string[]): Promise<Ran> =>
  spawned(SALLYCTL, [...words, '--data', dataDir])

type Health = { readonly status: number; readonly reasons: readonly string[] }

/** As `/healthz` says it. */
export async function healthOf({ ready }: Pick<Running, 'ready'>): Promise<Health> {
  const headers = { authorization: `Bearer ${ready.adminToken}` }
  const response = await fetch(`${ready.admin}/healthz`, { headers })
  return { status: response.status, ...((await response.json()) as { reasons: readonly string[] }) }
}

/** What {@link withProcess} gives. */
export type Bench = {
  readonly disk: SmallDisk
  readonly dataDir: string
  readonly running: Running
  /** The process anew on the same folder; throws where it does not start. */
  again(): Promise<Running>
}

/** Starts the process on a small disk, with these policies and this provider. */
export async function withProcess(
  policy: string,
  play: MockHandler,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  await onSmallDisk(async (disk, dataDir) => {
    const mock = await startMockUpstream(play)
    const started: Running[] = []
    const again = async (): Promise<Running> => {
      const args = ['--limit', 'checkTimeoutMs=5000']
      const running = await startSallyctl({ policies: { 'a.yaml': policy }, upstream: `${mock.url}/v1`, args, dataDir })
      started.push(running)
      return running
    }
    try {
      await body({ disk, dataDir, running: await again(), again })
    } finally {
      for (const running of started) if (running.child.exitCode === null) running.child.kill('SIGKILL')
      await mock.close()
    }
  })
}

/** A chat request, by default of {@link AGENT}. */
export const chat = (running: Running, content = 'go on', token = running.token(AGENT)): Promise<Response> =>
  fetch(`${running.ready.facade}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ ...REQUEST, messages: [{ role: 'user', content }] }),
  })

/** 200, or the reason of the refusal. */
export async function ask(running: Running, token?: string): Promise<string> {
  const response = await chat(running, 'go on', token)
  const text = await response.text()
  return response.status === 200 ? '200' : JSON.parse(text).error.code
}

/** Fills the disk, the last page of each file too. */
export async function close({ disk, running }: Bench): Promise<void> {
  disk.fill()
  await until(async () => (await ask(running)) === CLOSED, 'closed')
}

/** Makes room, and waits until the process says that all is well again. */
export async function open({ disk }: Bench, running: Running): Promise<void> {
  disk.makeRoom()
  let last: Health | null = null
  const healthy = async (): Promise<boolean> => {
    last = await healthOf(running)
    return last.status === 200
  }
  await until(healthy, 'it recovers by itself').catch(() => assert.fail(`${JSON.stringify(last)}\n${running.stderr()}`))
}

/** kill -9. */
export async function killed(running: Running): Promise<void> {
  running.child.kill('SIGKILL')
  await once(running.child, 'exit')
}

type Seen = { readonly state: string; readonly epoch: number; readonly token: string | null }

/** An agent as `sallyctl agents` shows it. */
export async function agentOf(dataDir: string, name = AGENT): Promise<Seen> {
  const { out, err } = await cli(dataDir, 'agents', name, '-o', 'json')
  assert.notEqual(out, '', err)
  return JSON.parse(out) as Seen
}

/** A provider that answers with words. */
export const plain: MockHandler = (_request, reply) => reply.events([streamOf(textDeltas('hello there'), 'stop')])
