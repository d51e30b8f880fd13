import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListingPage } from './contract.ts'
import { Listings } from './listings.ts'

const MIB = 1024 * 1024
const agent = (name: string) => ({ namespace: 'growth', name })
const server = { namespace: 'growth', name: 'warehouse' }
const page = (name: string, size: number, cursor: string | null, next: string | null): ListingPage => ({
  tools: [{ name, value: { name, description: 'x'.repeat(size) } }],
  cursor,
  next,
})

test('[MCP-06] a list whose descriptors are too large in all is one without end', () => {
  const listings = new Listings()
  assert.equal(listings.take(server, agent('a'), page('t0', 5 * MIB, null, 'c1')).endless, false)
  assert.equal(listings.take(server, agent('a'), page('t1', 5 * MIB, 'c1', 'c2')).endless, true)
})

test('[MCP-06] lists that wait for a page are bounded together: the oldest is forgotten, and its next page stands alone', () => {
  const listings = new Listings()
  for (const name of ['a', 'b', 'c']) listings.take(server, agent(name), page('t0', 6 * MIB, null, 'c1'))
  const last = (name: string) => listings.take(server, agent(name), page('t1', 1, 'c1', null))
  assert.deepEqual([last('a').listing, last('b').whole, last('c').whole], [null, true, true])
})
