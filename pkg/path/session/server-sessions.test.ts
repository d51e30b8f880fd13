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

test('[PEER-05] what one agent opened is another’s to nobody, until all of its holders let go', () => {
  const sessions = newServerSessions()
  assert.equal(sessions.isOfAnother(ada, 'a2a/x', 't'), false)
  sessions.opened(ada, 'a2a/x', 't')
  sessions.opened(ada, 'a2a/x', 't')
  assert.deepEqual(
    [
      sessions.isOfAnother(ada, 'a2a/x', 't'),
      sessions.isOfAnother(bob, 'a2a/x', 't'),
      sessions.isOfAnother(bob, 'y', 't'),
    ],
    [false, true, false],
  )
  sessions.opened(bob, 'a2a/x', 't')
  assert.deepEqual([sessions.isOfAnother(ada, 'a2a/x', 't'), sessions.isOfAnother(bob, 'a2a/x', 't')], [true, true])
  sessions.ended(ada, 'a2a/x', 't')
  assert.deepEqual([sessions.isOfAnother(ada, 'a2a/x', 't'), sessions.isOfAnother(bob, 'a2a/x', 't')], [true, false])
})

test('[PEER-05] an agent that opens many forgets its own, and nobody else’s', () => {
  const sessions = newServerSessions({ sessions: 8, perAgent: 2 })
  sessions.opened(bob, 'x', 'mine')
  for (let at = 0; at < 100; at += 1) sessions.opened(ada, 'x', `s${at}`)
  assert.equal(sessions.isOf(bob, 'x', 'mine'), true)
  assert.deepEqual(
    ['s97', 's98', 's99'].map((session) => sessions.isOf(ada, 'x', session)),
    [false, true, true],
  )
})

test('[KILL-04] an agent’s sessions at some servers can be forgotten, and no others', () => {
  const sessions = newServerSessions()
  for (const agent of [ada, bob]) for (const server of ['warehouse', 'a2a/x']) sessions.opened(agent, server, 's')
  sessions.forget(ada, (server) => !server.startsWith('a2a/'))
  const left = [ada, bob].map((agent) => ['warehouse', 'a2a/x'].map((server) => sessions.isOf(agent, server, 's')))
  assert.deepEqual(left, [
    [false, true],
    [true, true],
  ])
})
