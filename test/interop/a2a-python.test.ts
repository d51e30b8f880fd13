import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TaskState } from '@a2a-js/sdk'
import { AgentEvent } from '@a2a-js/sdk/server'
import { KINDS, withBench } from '../fixtures/a2a-bench.ts'
import { type Answer, artifactOf, partOf, stateOf, taskOf } from '../fixtures/a2a-server.ts'
import { runPython } from './python.ts'

type Read = {
  readonly name: string
  readonly kinds: readonly string[]
  readonly states: readonly string[]
  readonly text: string
  readonly error: string | null
  readonly again: string | null
}

/** Tells an address elsewhere where it is asked to leak. */
const answer: Answer = (text, bus, context) => {
  const told = text === 'leak' ? partOf({ $case: 'url', value: 'https://evil.example/x' }) : undefined
  bus.publish(AgentEvent.task(taskOf(context)))
  bus.publish(artifactOf(context, [told ?? partOf({ $case: 'text', value: `echo ${text}` })]))
  bus.publish(stateOf(context, TaskState.TASK_STATE_COMPLETED))
  bus.finished()
}

type Case = { readonly text: string; readonly url?: string; readonly task?: string; readonly metadata?: object }
type Expected = { readonly error?: string; readonly state?: string }
const CASES: Readonly<Record<string, readonly [Case, Expected]>> = {
  passed: [{ text: 'hi' }, { state: 'TASK_STATE_COMPLETED' }],
  'a skill that is granted': [{ text: 'hi', metadata: { skill: 'summarize' } }, { state: 'TASK_STATE_COMPLETED' }],
  'a skill that is not': [{ text: 'hi', metadata: { skill: 'translate' } }, { error: 'PEER_SKILL_NOT_GRANTED' }],
  'a file elsewhere': [{ text: 'hi', url: 'https://evil.example/x' }, { error: 'PEER_URL_NOT_GRANTED' }],
  'a task of nobody': [{ text: 'hi', task: 'unknown' }, { error: 'PEER_TASK_UNKNOWN' }],
  'an answer that leaks': [{ text: 'leak' }, { state: 'TASK_STATE_REJECTED' }],
}

test('[PEER-09] the Python SDK reads what passes and what is refused, in every version and binding', (context) =>
  withBench({ answer }, async ({ running }) => {
    const cases = KINDS.flatMap((kind) =>
      (['stream', 'whole'] as const).flatMap((how) =>
        Object.entries(CASES).map(([name, [given]]) => ({
          name: `${name} (${kind.binding} ${kind.version}, ${how})`,
          how,
          ...kind,
          ...given,
          token: running.token('growth/marketing'),
        })),
      ),
    )
    const reads = await runPython<Read>(
      'a2a_python.py',
      JSON.stringify({ base_url: `${running.ready.facade}/a2a/research`, cases }),
    )
    assert.equal(reads.length, cases.length)
    for (const read of reads) {
      const [, expected] = CASES[read.name.slice(0, read.name.indexOf(' ('))] ?? []
      assert.ok(expected !== undefined)
      await context.test(read.name, () => {
        assert.equal(read.error, expected.error ?? null)
        assert.doesNotMatch(read.text, /evil/)
        if (expected.state === undefined) return
        assert.deepEqual([read.states.at(-1), read.again], [expected.state, expected.state])
        if (expected.state === 'TASK_STATE_REJECTED') assert.match(read.text, /sallyport: PEER_URL_NOT_GRANTED: /)
        else assert.match(read.text, /echo hi/)
      })
    }
  }))
