import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { MARKETING, recordOf } from '../../../test/fixtures/admin-source.ts'
import { ask, codeOf, open, over, until, withAdmin } from './admin.fixture.ts'

test('[ADM-08] a follower gets history, then what comes, each once and in order, while records keep coming', async () =>
  withAdmin(async (bench) => {
    for (let number = 0; number < 50; number += 1) bench.source.append(recordOf(number))
    let next = 50
    bench.source.onRead = async () => {
      if (next < 100) bench.source.append(recordOf(next++)) // written while the history is read
      await new Promise((resolve) => setImmediate(resolve))
    }
    const answer = await open(over(bench, '/v1/verdicts?follow=true'))
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => text.split('\n').length > 100)
    for (; next < 120; next += 1) bench.source.append(recordOf(next))
    await until(() => text.split('\n').length > 120)
    const ids = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id)
    assert.deepEqual(
      ids,
      Array.from({ length: 120 }, (_, number) => recordOf(number).id),
    )
    answer.destroy()
    await until(() => bench.following() === 0)
  }))

test('[ADM-08] a record that the history holds and that is told again afterwards is sent once', async () =>
  withAdmin(async (bench) => {
    bench.source.records.push(recordOf(1))
    const answer = await open(over(bench, '/v1/verdicts?follow=true'))
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => text !== '')
    for (const listener of bench.source.listeners) for (const number of [1, 2]) listener(recordOf(number))
    await until(() => text.split('\n').length > 2)
    assert.deepEqual(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
      ['v_000001', 'v_000002'],
    )
    answer.destroy()
  }))

test('[ADM-08] a filter holds for what comes too', async () =>
  withAdmin(async (bench) => {
    const answer = await open(over(bench, '/v1/verdicts?follow=true&agent=growth/marketing&reason=INTENT_SQL_DDL'))
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => bench.following() === 1)
    bench.source.append(recordOf(1, { agent: null }))
    bench.source.append(recordOf(2, { reasons: [] }))
    bench.source.append(recordOf(3, { agent: MARKETING }))
    await until(() => text !== '')
    assert.deepEqual(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
      ['v_000003'],
    )
    answer.destroy()
  }))

test('[ADM-09] a follower that does not read is bounded, is told that it lost records, and holds nobody up', async () =>
  withAdmin(
    async (bench) => {
      const slow = connect(bench.socketPath)
      slow.write('GET /v1/verdicts?follow=true HTTP/1.1\r\nhost: x\r\n\r\n')
      slow.pause()
      await until(() => bench.following() === 1)
      const quick = await open(over(bench, '/v1/verdicts?follow=true'))
      let seen = 0
      quick.on('data', (chunk) => {
        seen += String(chunk).split('\n').length - 1
      })
      await until(() => bench.following() === 2)
      const message = 'x'.repeat(2_000)
      for (let number = 0; number < 2_000; number += 1) {
        bench.source.append(recordOf(number, { message }))
        if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await until(() => seen === 2_000)
      let text = ''
      slow.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      slow.resume()
      await until(() => text.includes('OVERLOADED'))
      const numbers = [...text.matchAll(/"id":"v_(\d+)"/g)].map((match) => Number(match[1]))
      assert.ok(numbers.length > 0 && numbers.length < 2_000)
      assert.deepEqual(
        numbers,
        numbers.map((_, at) => at),
        'what came before the end has no gap',
      )
      await until(() => bench.following() === 1)
      slow.destroy()
      quick.destroy()
    },
    { followQueueBytes: 64 * 1024 },
  ))

test('[ADM-09] one follower above the cap is OVERLOADED, and a place that is left is free again', async () =>
  withAdmin(
    async (bench) => {
      const path = '/v1/verdicts?follow=true'
      const first = await open(over(bench, path))
      const second = await open(over(bench, path))
      const third = await ask(over(bench, path))
      assert.equal(third.status, 503)
      assert.equal(codeOf(third), 'OVERLOADED')
      first.destroy()
      await until(() => bench.following() === 1)
      const fourth = await open(over(bench, path))
      assert.equal(fourth.statusCode, 200)
      for (const one of [second, fourth]) one.destroy()
    },
    { maxFollowers: 2 },
  ))

test('[ADM-09] close sends what waits, ends the followers and gives everything back', async () => {
  let text = ''
  let ended = false
  await withAdmin(async (bench) => {
    const answer = await open(over(bench, '/v1/verdicts?follow=true'))
    answer.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    answer.on('end', () => {
      ended = true
    })
    await until(() => bench.following() === 1)
    bench.source.append(recordOf(7))
    await bench.admin.close()
    await until(() => ended)
    assert.equal(bench.source.listeners.size, 0)
    assert.equal(JSON.parse(text).id, 'v_000007')
  })
})
