import { SallyportError } from '#pkg/model/errors'
import { sendJson } from './answers.ts'
import type { Call } from './call.ts'
import { readQuery } from './query.ts'

/** `GET /v1/facade`: where agents of this process are served. */
export type FacadeAnswer = { readonly facade: string }

/** Answers with the address; ADMIN_NOT_FOUND where the source has none. */
export function facade({ deps, response, query }: Call): void {
  readQuery(query, [])
  const { facade: url } = deps.source
  if (url === undefined) throw new SallyportError('ADMIN_NOT_FOUND', 'this process serves no agents')
  const answer: FacadeAnswer = { facade: url }
  sendJson(response, 200, answer)
}
