import { type AgentKey, agentRefOf } from '#pkg/model'
import { isErrorCode, SallyportError } from '#pkg/model/errors'
import { keyOfPath, noAgent } from './agents.ts'
import { sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './call.ts'
import type { AdminSource, MoveAsk, MoveDone, MoveVerb } from './ports.ts'
import { readQuery } from './query.ts'
import { REASON_TEXT, readReason } from './reason-text.ts'
import { BOOLEAN, refTo, type Schema, TEXT } from './schema.ts'

/** `POST /v1/agents/NS/NAME/VERB`. `to` null = forgotten, and not in the folder either. */
export type MoveAnswer = MoveDone & { readonly namespace: string; readonly name: string; readonly verb: MoveVerb }

/** Every verb of a person. */
export const MOVE_VERBS: readonly MoveVerb[] = ['quarantine', 'suspend', 'release', 'reinstate', 'terminate', 'forget']

/** What each verb takes besides its reason. */
const TAKES: Readonly<Partial<Record<MoveVerb, readonly string[]>>> = {
  release: ['throughEpoch'],
  reinstate: ['throughEpoch'],
  terminate: ['force', 'confirm'],
}

const WHAT: Readonly<Record<MoveVerb, string>> = {
  quarantine: 'Quarantine an agent: open streams are cut, everything is refused from now on.',
  suspend: 'Suspend an agent.',
  release: 'Release an agent from quarantine, or for the first time.',
  reinstate: 'Reinstate a suspended agent.',
  terminate: 'Terminate an agent. This is final.',
  forget: 'Drop the tombstone of a terminated agent.',
}

const FIELDS: Readonly<Record<string, Schema>> = {
  reason: REASON_TEXT,
  throughEpoch: {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'The epoch that was seen: a hold that was raised since survives. Default: of now.',
  },
  force: { ...BOOLEAN, description: 'The emergency move, from any state.' },
  confirm: { ...TEXT, description: 'The name of the agent.' },
}

/** One route for each verb. */
export const MOVE_ROUTES: readonly Route[] = MOVE_VERBS.map((verb) => {
  const takes = ['reason', ...(TAKES[verb] ?? [])]
  return {
    method: 'POST',
    path: `/v1/agents/{namespace}/{name}/${verb}`,
    answer: (call) => move(verb, call),
    doc: {
      operation: `${verb}Agent`,
      tag: 'agents',
      summary: WHAT[verb],
      details: 'The move is made, and what it cuts is cut, when the answer comes.',
      body: {
        type: 'object',
        properties: Object.fromEntries(takes.map((field) => [field, FIELDS[field]])),
        required: takes.filter((field) => field === 'reason' || field === 'confirm'),
        additionalProperties: false,
      },
      answers: { 200: { what: 'What came of it.', schema: refTo('Move') } },
      faults: [
        'MOVE_REFUSED',
        'MOVE_OVERRIDDEN',
        'STATE_UNAVAILABLE',
        ...(verb === 'terminate' ? (['MOVE_UNCONFIRMED'] as const) : []),
      ],
    },
  }
})

async function move(verb: MoveVerb, call: Call): Promise<void> {
  const { deps, request, response, query, parts, by } = call
  readQuery(query, [])
  const key = keyOfPath(parts)
  const { namespace, name } = agentRefOf(key)
  const body = readMoveAsk(verb, name, await readJson(request, deps.limits.maxBodyBytes))
  const done = await moved(deps.source, key, { ...body, verb, by })
  const answer: MoveAnswer = { namespace, name, verb, ...done }
  sendJson(response, 200, answer)
}

/** An agent that has left the folder may still be moved: who is not there, the move itself finds out. */
async function moved(source: AdminSource, key: AgentKey, ask: MoveAsk): Promise<MoveDone> {
  try {
    return await source.move(key, ask)
  } catch (error) {
    throw isErrorCode(error, 'ADMIN_NOT_FOUND') ? noAgent(source, key) : error
  }
}

/**
 * `{"reason","throughEpoch"?}`, of terminate `{"reason","confirm","force"?}`. A field that the verb does not take is a fault:
 * it would be ignored.
 * @throws SallyportError USAGE, MOVE_UNCONFIRMED
 */
function readMoveAsk(verb: MoveVerb, name: string, body: unknown): Omit<MoveAsk, 'by' | 'verb'> {
  const takes = ['reason', ...(TAKES[verb] ?? [])]
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong(verb, takes)
  const given = new Map<string, unknown>(Object.entries(body))
  for (const field of given.keys()) if (!takes.includes(field)) throw wrong(verb, takes)
  const { reason, throughEpoch, force = false, confirm } = Object.fromEntries(given)
  const why = readReason(reason)
  if (typeof force !== 'boolean') throw wrong(verb, takes)
  if (verb === 'terminate' && typeof confirm !== 'string') throw wrong(verb, takes)
  if (verb === 'terminate' && confirm !== name)
    throw new SallyportError(
      'MOVE_UNCONFIRMED',
      `to terminate is final: confirm must be the name of the agent, "${name}"`,
    )
  if (throughEpoch === undefined) return { reason: why, force }
  if (typeof throughEpoch !== 'number' || !Number.isSafeInteger(throughEpoch) || throughEpoch < 0)
    throw new SallyportError('USAGE', 'throughEpoch must be the epoch that was seen, a whole number')
  return { reason: why, force, throughEpoch }
}

function wrong(verb: MoveVerb, takes: readonly string[]): SallyportError {
  return new SallyportError(
    'USAGE',
    `the body of ${verb} must be a JSON object with ${takes.join(', ')}, and nothing else`,
  )
}
