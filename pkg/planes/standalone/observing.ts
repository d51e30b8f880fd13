import {
  type Finding,
  globMatches,
  grantSpeaksOf,
  type Inspection,
  type Intent,
  type RequestView,
  type Snapshot,
  type ToolGrant,
} from '#pkg/model'
import type { Firewall, SqlReader } from '#pkg/path/firewall'
import type { CallNote, Observations } from '#pkg/systems/observed'

/** Arguments beyond this are not looked at. */
const MAX_ARGUMENT_CHARS = 8 * 1024
/** SQL beyond this is not read again for the notes: it would keep the worker from the checks. */
const MAX_SQL_CHARS = 1_024
const MAX_TEXTS = 8
/** Calls that wait to be noted; what comes then is noted without a look at its arguments. */
const MAX_WAITING = 64
const SQL_KEYS: ReadonlySet<string> = new Set(['query', 'sql', 'statement'])
const SQL_START =
  /^\s*(?:select|with|insert|update|delete|merge|create|alter|drop|truncate|grant|revoke|copy|call|do|set|show|explain)\b/i

type Deps = { readonly notes: Observations; readonly sql: Pick<SqlReader, 'read'> }
type Waiting = {
  readonly snapshot: Snapshot
  readonly name: string
  readonly grant: ToolGrant
  readonly text: string | null
}

/** The same firewall, whose inspections tell what they did not object to. Nothing waits for the notes. */
export function observing(firewall: Firewall, deps: Deps): Firewall {
  const queue = newQueue(deps)
  return {
    ...firewall,
    inspect: (rules, given) => {
      const inner = firewall.inspect(rules, given)
      return new Observing(inner, { ...deps, queue, snapshot: rules.snapshot, view: given.view })
    },
  }
}

type Around = Deps & {
  readonly queue: (call: Waiting) => void
  readonly snapshot: Snapshot
  readonly view: RequestView
}

/** One exchange. Holds a copy of the arguments of its open calls, up to a limit each. */
class Observing implements Inspection {
  readonly #inner: Inspection
  readonly #around: Around
  readonly #open = new Map<string, { readonly name: string; text: string | null }>()

  constructor(inner: Inspection, around: Around) {
    this.#inner = inner
    this.#around = around
  }

  request(view: RequestView): readonly Finding[] {
    const found = this.#inner.request(view)
    if (found.length === 0) this.#noteRequest(view)
    return found
  }

  callOpen(...[call, name, form]: Parameters<Inspection['callOpen']>): readonly Finding[] {
    const found = this.#inner.callOpen(call, name, form)
    if (found.length === 0) this.#open.set(call, { name, text: form === 'json' ? '' : null })
    return found
  }

  callDelta(call: string, text: string): readonly Finding[] {
    const held = this.#open.get(call)
    if (held !== undefined && held.text !== null)
      held.text = held.text.length + text.length > MAX_ARGUMENT_CHARS ? null : held.text + text
    const found = this.#inner.callDelta(call, text)
    if (found.length > 0) this.#open.delete(call)
    return found
  }

  callClose(call: string): readonly Finding[] | Promise<readonly Finding[]> {
    const held = this.#open.get(call)
    this.#open.delete(call)
    const found = this.#inner.callClose(call)
    if (held === undefined) return found
    if (!(found instanceof Promise)) return this.#closed(held, found)
    return found.then((late) => this.#closed(held, late))
  }

  ask: Inspection['ask'] = (request) => this.#inner.ask(request)
  list: Inspection['list'] = (page) => this.#inner.list(page)
  said: Inspection['said'] = (said, direction) => this.#inner.said(said, direction)
  card: Inspection['card'] = (card) => this.#inner.card(card)

  #closed(
    held: { readonly name: string; readonly text: string | null },
    found: readonly Finding[],
  ): readonly Finding[] {
    if (found.length > 0) return found
    const { snapshot, view, queue } = this.#around
    const server = view.endpoint.server ?? ''
    const grant = snapshot.grants.find((one) => globMatches(one.name, held.name) && grantSpeaksOf(one, server))
    if (grant !== undefined) queue({ snapshot, name: held.name, grant, text: held.text })
    return found
  }

  #noteRequest(view: RequestView): void {
    const { endpoint, target, provider, model } = view
    const host = target === undefined ? null : { authority: `${target.host}:${target.port}`, method: endpoint.method }
    const { server = null, peer = null } = endpoint
    this.#around.notes.request({ snapshot: this.#around.snapshot, provider, model, server, peer, host })
  }
}

/** One call at a time, each in a turn of its own. */
function newQueue({ notes, sql }: Deps): (call: Waiting) => void {
  const waiting: Waiting[] = []
  let isBusy = false
  const drain = async (): Promise<void> => {
    isBusy = true
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) notes.call(await noteOf(sql, next))
    isBusy = false
  }
  return (call) => {
    if (waiting.length >= MAX_WAITING) return notes.call(unlooked(call))
    waiting.push(call)
    if (!isBusy) {
      isBusy = true
      setImmediate(drain)
    }
  }
}

function unlooked({ snapshot, name, grant }: Waiting): CallNote {
  return { snapshot, name, frame: frameOf(grant), args: null, intents: [], unread: true }
}

async function noteOf(sql: Pick<SqlReader, 'read'>, call: Waiting): Promise<CallNote> {
  const args = call.text === null ? null : objectOf(call.text)
  if (args === null) return unlooked(call)
  const texts = textsOf(args)
  const declares = (call.grant.intents ?? []).some((intent) => intent.startsWith('sql.'))
  const intents = new Set<Intent>()
  let unread = texts.length > MAX_TEXTS
  for (const { key, text } of texts.slice(0, MAX_TEXTS)) {
    const named = SQL_KEYS.has(key.toLowerCase())
    if (!named && !SQL_START.test(text)) continue
    const reading = text.length > MAX_SQL_CHARS ? null : await sql.read(text)
    if (reading?.ok === true) {
      if (declares || !reading.bareExpression) for (const intent of reading.intents) intents.add(intent)
    } else if (reading === null || declares || reading.reason !== 'INTENT_SQL_UNPARSABLE') unread = true
  }
  return { snapshot: call.snapshot, name: call.name, frame: frameOf(call.grant), args, intents: [...intents], unread }
}

function frameOf({ server, execution, intents, resultTrust, schema, rules }: ToolGrant): CallNote['frame'] {
  return { server, execution, intents, resultTrust, schema, rules }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null // the wire check has read it: this is no place to object
  }
}

function textsOf(args: Readonly<Record<string, unknown>>): readonly { readonly key: string; readonly text: string }[] {
  return Object.entries(args).flatMap(([key, text]) => (typeof text === 'string' ? [{ key, text }] : []))
}
