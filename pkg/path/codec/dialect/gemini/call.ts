import type { Reason } from '#pkg/model'
import type { Json } from '#pkg/path/codec/wire/shape'
import type { PartialArgs } from './partial-args.ts'

/** One call of an answer while it is read. */
export type Call = {
  readonly key: string
  readonly choice: number
  id: string | null
  name: string | null
  /** Arguments that come in pieces; null for a call that came whole. */
  args: PartialArgs | null
  closed: boolean
  faulted: Reason | null
  /** The part as the provider wrote it, its first one if there are several; null where there is nothing to restore. */
  part: Json | null
  /** That part in the provider's own bytes, for a call that came whole. */
  raw: string | null
}

/** The call as the provider made it; what `restore` puts back. */
export type Original = {
  readonly name: string
  readonly id: string | null
  /** The JSON text of the whole part, its thought signature in it. */
  readonly part: string
}

/** The original of a call that has been read, as text; empty where nobody could say what it was. */
export function originalOf(call: Call | undefined): string {
  if (call === undefined || call.name === null || call.part === null || !call.closed || call.faulted !== null) return ''
  const { name, id } = call
  if (call.args === null && call.raw !== null) return written({ name, id, part: call.raw })
  if (call.args === null || !call.args.whole) return ''
  const kept: string[] = []
  for (const key in call.part) {
    if (key !== 'functionCall' && key !== 'function_call')
      kept.push(`${JSON.stringify(key)}:${JSON.stringify(call.part[key])}`)
  }
  const inner = [`"name":${JSON.stringify(name)}`]
  if (id !== null) inner.push(`"id":${JSON.stringify(id)}`)
  inner.push(`"args":${call.args.text()}`)
  return written({ name, id, part: `{${[`"functionCall":{${inner.join(',')}}`, ...kept].join(',')}}` })
}

const written = (original: Original): string => JSON.stringify(original)
