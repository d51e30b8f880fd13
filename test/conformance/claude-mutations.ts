/** Broken and hostile streams of the Messages API, made out of good ones: events lost, doubled, moved, and told wrong. */
import {
  blockStart,
  blockStop,
  callBlock,
  type Event,
  finish,
  searchBlocks,
  start,
  textBlock,
  thinkingBlock,
  toolUse,
} from '../fixtures/anthropic.ts'

type Random = () => number
type Loose = Record<string, unknown>

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T // not empty

const BLOCK_TYPES = [
  'text',
  'tool_use',
  'thinking',
  'server_tool_use',
  'mcp_tool_use',
  'x_tool_use',
  'function_call',
  'compaction',
  'web_search_tool_result',
  'note',
]
const DELTA_TYPES = [
  'text_delta',
  'input_json_delta',
  'thinking_delta',
  'signature_delta',
  'citations_delta',
  'x_delta',
]
const EVENT_TYPES = [
  'ping',
  'error',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'message_start',
  'x',
]
const NAMES = ['search_docs', 'run_sql', '', undefined, 'send_mail']
const MEMBERS = ['input', 'arguments', 'text', 'partial_json']

/** One message of one to four blocks; some of them calls with `sql`. */
export function someMessage(random: Random, sql: string): readonly Event[] {
  const drop = JSON.stringify({ query: sql })
  const makers: readonly ((index: number) => readonly Event[])[] = [
    (index) => textBlock(index, 'hello there'),
    (index) => thinkingBlock(index, 'hm'),
    (index) => callBlock(index, 'run_sql', drop, 5),
    (index) => callBlock(index, 'run_sql', '{"query":"SELECT 1"}', 6),
    (index) => callBlock(index, 'search_docs', '{"q":"x"}'),
    (index) => searchBlocks(index).slice(0, 4),
    (index) => [blockStart(index, toolUse(index, 'run_sql', { input: { query: sql } })), blockStop(index)],
  ]
  const events: Event[] = [start(random() < 0.1 ? [toolUse(50, 'run_sql', { input: { query: sql } })] : [])]
  const count = 1 + Math.floor(random() * 4)
  for (let index = 0; index < count; index += 1) events.push(...pick(random, makers)(index))
  return [...events, ...finish('tool_use')]
}

/** One to three things go wrong. */
export function mutated(random: Random, events: readonly Event[], sql: string): readonly Event[] {
  const out = structuredClone(events) as (Event & Loose)[] // of plain JSON
  const times = 1 + Math.floor(random() * 3)
  for (let time = 0; time < times; time += 1) {
    const at = Math.floor(random() * out.length)
    const event = out[at]
    if (event !== undefined) pick(random, WAYS)({ random, sql, out, at, event })
  }
  return out
}

type Place = { random: Random; sql: string; out: (Event & Loose)[]; at: number; event: Loose }

const objectOf = (value: unknown): Loose | null =>
  typeof value === 'object' && value !== null ? (value as Loose) : null // checked in the line
const other = ({ random, out }: Place): number => Math.floor(random() * out.length)

const WAYS: readonly ((place: Place) => void)[] = [
  ({ out, at }) => void out.splice(at, 1),
  ({ out, at }) => void out.splice(at, 0, structuredClone(out[at] ?? { type: 'ping' })),
  (place) => {
    const [moved] = place.out.splice(place.at, 1)
    if (moved !== undefined) place.out.splice(other(place), 0, moved)
  },
  ({ random, event }) => {
    if ('index' in event) event['index'] = pick(random, [0, 1, 2, 3, -1, 99, '0', null])
  },
  ({ random, event }) => set(event['content_block'], 'type', pick(random, BLOCK_TYPES)),
  ({ random, event }) => set(event['content_block'], 'name', pick(random, NAMES)),
  ({ random, event, sql }) => {
    const inputs = [{ query: sql }, { query: 'SELECT 1' }, JSON.stringify({ query: sql }), [], null, '']
    set(event['content_block'], 'input', pick(random, inputs))
  },
  (place) => {
    const id = objectOf(place.out[other(place)]?.['content_block'])?.['id']
    set(place.event['content_block'], 'id', id)
  },
  ({ random, event }) => set(event['delta'], 'type', pick(random, DELTA_TYPES)),
  ({ random, event }) => {
    const delta = objectOf(event['delta'])
    const pieces = delta?.['partial_json']
    if (delta === null || pieces === undefined) return
    if (random() < 0.5) delete delta['partial_json']
    delta[pick(random, MEMBERS)] = pieces
  },
  ({ random, event }) => set(event, 'type', pick(random, EVENT_TYPES)),
]

function set(target: unknown, member: string, value: unknown): void {
  const object = objectOf(target)
  if (object !== null) object[member] = value
}
