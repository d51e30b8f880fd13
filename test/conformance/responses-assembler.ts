/**
 * The tolerant assembler of the Responses API: every call and text that *any* client could rebuild. It reads every
 * framing, joins deltas by place and by item id, believes each echo by itself, and looks for calls in members that
 * nobody defines.
 */

export type Rebuilt = {
  readonly calls: readonly { readonly name: string; readonly args: string }[]
  /** All text of all members, joined. */
  readonly text: string
  /** The text of each thread, joined as clients join it. */
  readonly threads: readonly string[]
}

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function valuesOf(text: string): readonly Json[] {
  const values: unknown[] = []
  const parse = (data: string): void => {
    try {
      values.push(JSON.parse(data))
    } catch {
      // nobody can read it
    }
  }
  if (text.trimStart().startsWith('{')) parse(text)
  for (const block of text.replace(/^\uFEFF/, '').split(/\r\n\r\n|\n\n|\r\r|\r\n\r|\n\r\n/)) {
    const data = block
      .split(/\r\n|\r|\n/)
      .filter((line) => /^\s*data\s*:/i.test(line))
      .map((line) => line.replace(/^\s*data\s*: ?/i, ''))
    if (data.length > 0) parse(data.join('\n'))
    if (data.length > 1) for (const one of [data.join(''), ...data]) parse(one)
  }
  return values.filter(isObject)
}

const CALL_TYPE = /call|approval_request|tool_use/
const HOSTED = /^(?:web_search|file_search|code_interpreter|image_generation|mcp)_call|_output$|^mcp_list_tools$/
const ARGUMENTS = ['arguments', 'input', 'action', 'actions', 'operation', 'args', 'parameters']

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Joins of one answer: by the place, by the id of the item, and all in one. */
class Joins {
  readonly #joins = new Map<string, { names: Set<string>; args: string[]; whole: Set<string> }>()

  at(key: string) {
    let known = this.#joins.get(key)
    if (known === undefined) {
      known = { names: new Set(), args: [], whole: new Set() }
      this.#joins.set(key, known)
    }
    return known
  }

  calls(): { name: string; args: string }[] {
    return [...this.#joins.values()].flatMap(({ names, args, whole }) => {
      const texts = [...whole, args.join(''), ...[...whole].map((base) => base + args.join(''))]
      return [...(names.size === 0 ? [''] : names)].flatMap((name) => texts.map((text) => ({ name, args: text })))
    })
  }
}

function keysOf(event: Json, item: Json): readonly string[] {
  const keys = [`place ${event['output_index']}`, `id ${item['id'] ?? event['item_id']}`]
  return item['call_id'] === undefined ? keys : [...keys, `call ${item['call_id']}`]
}

/** Every object that looks like a call, wherever it stands. */
function walk(value: unknown, event: Json, joins: Joins, texts: string[]): void {
  if (Array.isArray(value)) for (const item of value) walk(item, event, joins, texts)
  if (!isObject(value)) return
  const type = typeof value['type'] === 'string' ? value['type'] : ''
  const args = ARGUMENTS.filter((member) => value[member] !== undefined && value[member] !== null)
  const isCall = CALL_TYPE.test(type) && !type.startsWith('response.') && !HOSTED.test(type)
  const container = isObject(value['environment']) && value['environment']['type'] === 'container_reference'
  const hosted = container || (type === 'tool_search_call' && value['execution'] === 'server')
  if (
    !hosted &&
    !HOSTED.test(type) &&
    (isCall || (typeof value['name'] === 'string' && args.length > 0 && type !== 'function'))
  ) {
    for (const key of keysOf(event, value)) {
      const join = joins.at(key)
      join.names.add(typeof value['name'] === 'string' ? value['name'] : type)
      for (const member of args) join.whole.add(textOf(value[member]))
    }
  }
  for (const [key, member] of Object.entries(value)) {
    if (key === 'tools') continue
    if (typeof member === 'string' && /^(?:text|delta|refusal|message|content|output_text)$/.test(key))
      texts.push(member)
    walk(member, event, joins, texts)
  }
}

/** Rebuilds the calls and the text of an answer. */
export function rebuild(text: string): Rebuilt {
  const joins = new Joins()
  const texts: string[] = []
  const threads = new Map<string, string>()
  for (const event of valuesOf(text)) {
    const type = String(event['type'] ?? '')
    const delta = event['delta'] ?? event['arguments'] ?? event['input'] ?? event['command'] ?? event['diff']
    if (/^response\.(?:function_call|custom_tool_call|shell_call_command|apply_patch|computer)/.test(type)) {
      for (const key of keysOf(event, {})) {
        const join = joins.at(key)
        if (type.endsWith('.delta')) join.args.push(textOf(delta ?? ''))
        else join.whole.add(textOf(delta ?? ''))
      }
    } else if (typeof event['delta'] === 'string') {
      for (const key of [type, `${type} ${event['output_index']} ${event['content_index']}`]) {
        threads.set(key, (threads.get(key) ?? '') + event['delta'])
      }
    }
    walk(event, event, joins, texts)
  }
  return { calls: joins.calls(), text: texts.join(''), threads: [...threads.values(), ...texts] }
}
