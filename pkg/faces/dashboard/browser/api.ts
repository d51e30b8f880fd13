/** An answer of the API that says no, or that is none. `status` 0 = nobody answered. */
export class ApiFault extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Asks the admin API of the origin of this page. Throws {@link ApiFault}. */
export type Api = {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
}

/** `ended` is called when the token opens nothing any more. */
export function newApi(token: string, ended: () => void): Api {
  const ask = async <T>(path: string, more: RequestInit): Promise<T> => {
    const headers = { ...more.headers, authorization: `Bearer ${token}` }
    const answer = await fetch(path, { ...more, headers, cache: 'no-store' }).catch(() => {
      throw new ApiFault(0, 'UNREACHABLE', 'the process does not answer')
    })
    if (answer.status === 401) ended()
    return await readAnswer<T>(answer)
  }
  return {
    get: (path) => ask(path, {}),
    post: (path, body) =>
      ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }
}

/** The value of an answer. @throws ApiFault with the code and the message of the process, if it gave one. */
export async function readAnswer<T>(answer: Response): Promise<T> {
  const value: unknown = await answer.json().catch(() => null)
  if (answer.ok) return value as T // the process is of our own making and names its API version in the path
  throw (
    errorIn(value, answer.status) ??
    new ApiFault(answer.status, 'UNREACHABLE', `the answer has status ${answer.status} and is not one of the API`)
  )
}

/** The error of a body of the API, or null where it is none. */
export function errorIn(body: unknown, status: number): ApiFault | null {
  const error = fieldOf(body, 'error')
  const code = fieldOf(error, 'code')
  const message = fieldOf(error, 'message')
  return typeof code === 'string' && typeof message === 'string' ? new ApiFault(status, code, message) : null
}

/** A fault in words, for a person. */
export function faultText(error: unknown): string {
  if (error instanceof ApiFault) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : 'unknown fault'
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined
}
