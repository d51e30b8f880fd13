import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentKeyOf } from '#pkg/model'
import { newServerSessions } from './index.ts'

const ada = agentKeyOf({ namespace: 'growth', name: 'ada' })
const bob = agentKeyOf({ namespace: 'growth', name: 'bob' })

test('[MCP-03] a session is its own agent’s, at its own server, and only until it ends', () => {
  const sessions = newServerSessions()
  sessions.opened(ada, 'warehouse', 's')
  assert.deepEqual(
    [sessions.isOf(ada, 'warehouse', 's'), sessions.isOf(bob, 'warehouse', 's'), sessions.isOf(ada, 'other', 's')],
    [true, false, false],
  )
  sessions.ended(bob, 'warehouse', 's')
  assert.equal(sessions.isOf(ada, 'warehouse', 's'), true)
  sessions.ended(ada, 'warehouse', 's')
  assert.equal(sessions.isOf(ada, 'warehouse', 's'), false)
})

test('[MCP-03] sessions are bounded: the one that was longest unused is forgotten, which only refuses', () => {
  const sessions = newServerSessions({ sessions: 2 })
  for (const session of ['a', 'b']) sessions.opened(ada, 'warehouse', session)
  assert.equal(sessions.isOf(ada, 'warehouse', 'a'), true)
  sessions.opened(ada, 'warehouse', 'c')
  assert.deepEqual(
    ['a', 'b', 'c'].map((session) => sessions.isOf(ada, 'warehouse', session)),
    [true, false, true],
  )
})
