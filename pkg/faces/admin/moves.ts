import { agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './call.ts'
import type { MoveAsk, MoveDone, MoveVerb } from './ports.ts'
import { agentOf, readQuery } from './query.ts'

/** `POST /v1/agents/NS/NAME/VERB`. `to` null = forgotten, and not in the folder either. */
export type MoveAnswer = MoveDone & { readonly namespace: string; readonly name: string; readonly verb: MoveVerb }

const VERBS: readonly MoveVerb[] = ['quarantine', 'suspend', 'release', 'reinstate', 'terminate', 'forget']

/** What each verb takes besides its reason. */
const TAKES: Readonly<Partial<Record<MoveVerb, readonly string[]>>> = {
  release: ['throughEpoch'],
  reinstate: ['throughEpoch'],
  terminate: ['force', 'confirm'],
}

const MAX_REASON = 512

/** One route for each verb. */
export const MOVE_ROUTES: readonly Route[] = VERBS.map((verb) => ({
  method: 'POST',
  path: `/v1/agents/*/*/${verb}`,
  answer: (call) => move(verb, call),
}))

async function move(verb: MoveVerb, call: Call): Promise<void> {
  const { deps, request, response, query, parts, by } = call
  readQuery(query, [])
  const [namespace = '', name = ''] = parts
  const key = agentOf(namespace, name)
  if (key === null) throw new SallyportError('ADMIN_NOT_FOUND', 'no such agent: namespace and name are DNS labels')
  const body = readMoveAsk(verb, name, await readJson(request, deps.limits.maxBodyBytes))
  const done = await deps.source.move(agentKeyOf({ namespace, name }), { ...body, verb, by })
  const answer: MoveAnswer = { namespace, name, verb, ...done }
  sendJson(response, 200, answer)
}

/**
 * `{"reason","throughEpoch"?}`, of terminate `{"reason","confirm","force"?}`. A field that the verb does not take is a fault:
 * it would be ignored.
 * @throws SallyportError USAGE, MOVE_UNCONFIRMED
 */
export function readMoveAsk(verb: MoveVerb, name: string, body: unknown): Omit<MoveAsk, 'by' | 'verb'> {
  const takes = ['reason', ...(TAKES[verb] ?? [])]
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong(verb, takes)
  const given = new Map<string, unknown>(Object.entries(body))
  for (const field of given.keys()) if (!takes.includes(field)) throw wrong(verb, takes)
  const { reason = null, throughEpoch, force = false, confirm } = Object.fromEntries(given)
  if (typeof reason !== 'string' || reason.trim() === '' || [...reason].length > MAX_REASON)
    throw new SallyportError('USAGE', `reason must be a text of 1 to ${MAX_REASON} characters: it goes on record`)
  if (typeof force !== 'boolean') throw wrong(verb, takes)
  if (verb === 'terminate' && confirm !== name)
    throw new SallyportError(
      'MOVE_UNCONFIRMED',
      `to terminate is final: confirm must be the name of the agent, "${name}"`,
    )
  if (throughEpoch === undefined) return { reason, force }
  if (typeof throughEpoch !== 'number' || !Number.isSafeInteger(throughEpoch) || throughEpoch < 0)
    throw new SallyportError('USAGE', 'throughEpoch must be the epoch that was seen, a whole number')
  return { reason, force, throughEpoch }
}

function wrong(verb: MoveVerb, takes: readonly string[]): SallyportError {
  return new SallyportError(
    'USAGE',
    `the body of ${verb} must be a JSON object with ${takes.join(', ')}, and nothing else`,
  )
}
