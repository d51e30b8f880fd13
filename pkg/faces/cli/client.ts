import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { ERROR_CODES, type ErrorCode, SallyportError } from '#pkg/model/errors'
import { whyNot } from '#pkg/platform/files'
import { MAX_SOCKET_PATH_BYTES } from '#pkg/platform/socket'
import { type Hint, hintsOf } from './called-as.ts'
import { linesOf } from './lines.ts'
import type { Target } from './target.ts'

/** Asks the admin API of a running process. Paths begin with `/`. Throws SallyportError with the code that the process gave. */
export type Client = {
  get<T>(path: string, alsoFine?: number): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
  /** Each line of a stream, parsed, in order; resolves when the process ends the stream, or `ended` does. */
  lines<T>(path: string, take: (value: T) => Promise<void>, ended?: AbortSignal): Promise<void>
  /** A command to paste that asks the same process. */
  readonly hint: Hint
  /** Its data folder, if the process is found by it. */
  readonly dataDir: string | null
}

/** Where to send, and how hints call this program. */
type To = Target & { readonly program: string }

/** An answer that is not a stream. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** One line of a stream. */
const MAX_LINE_CHARS = 4 * 1024 * 1024
/** From the request to the head of the answer. */
const HEAD_TIMEOUT_MS = 15_000

/** A client of one process. Nothing is sent before the first question. */
export function newClient(found: Target, program: string): Client {
  const target: To = { ...found, program }
  const whole = async <T>(ask: Ask, alsoFine?: number): Promise<T> => {
    const answer = await send(target, ask)
    const text = await textOf(answer, target)
    const status = answer.statusCode ?? 0
    const value = parse(text, target)
    if (status !== 200 && status !== alsoFine) throw errorOf(value, status)
    return value as T // the process is of our own making and names its API version in the path
  }
  return {
    get: (path, alsoFine) => whole({ method: 'GET', path }, alsoFine),
    post: (path, body) => whole({ method: 'POST', path, body: Buffer.from(JSON.stringify(body)) }),
    lines: (path, take, ended) => lines(target, path, take, ended ?? new AbortController().signal),
    hint: hintsOf(program, found.where),
    dataDir: found.kind === 'socket' ? found.dataDir : null,
  }
}

async function lines<T>(
  target: To,
  path: string,
  take: (value: T) => Promise<void>,
  ended: AbortSignal,
): Promise<void> {
  try {
    await readLines(target, { method: 'GET', path, ended }, take)
  } catch (error) {
    if (!ended.aborted) throw error
  }
}

async function readLines<T>(target: To, ask: Ask, take: (value: T) => Promise<void>): Promise<void> {
  const answer = await send(target, ask)
  if (answer.statusCode !== 200) throw errorOf(parse(await textOf(answer, target), target), answer.statusCode ?? 0)
  answer.setEncoding('utf8')
  const tooLong = (): Error => broken(target, 'sent a line that is too long')
  try {
    for await (const { text, whole } of linesOf(answer, MAX_LINE_CHARS, tooLong)) {
      if (!whole) throw broken(target, 'ended inside a line')
      const value = parse(text, target)
      if (isErrorBody(value)) throw errorOf(value, 0)
      await take(value as T) // as above
    }
  } catch (error) {
    throw error instanceof SallyportError ? error : broken(target, 'went away in mid-answer', error)
  }
}

type Ask = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: Buffer
  /** Ends the question, or its answer. */
  readonly ended?: AbortSignal
}

function send(target: To, ask: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = open(target, ask)
    const late = setTimeout(() => {
      reject(new SallyportError('UNREACHABLE', `${target.label} did not answer within ${HEAD_TIMEOUT_MS} ms`))
      request.destroy()
    }, HEAD_TIMEOUT_MS)
    request.once('response', (answer) => {
      clearTimeout(late)
      resolve(answer)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(late)
      reject(unreachable(target, error))
    })
    request.end(ask.body)
  })
}

function open(target: Target, ask: Ask): ClientRequest {
  const headers = {
    ...(target.kind === 'url' && target.token !== null ? { authorization: `Bearer ${target.token.reveal()}` } : {}),
    ...(ask.body === undefined ? {} : { 'content-type': 'application/json', 'content-length': ask.body.length }),
  }
  const ended = ask.ended === undefined ? {} : { signal: ask.ended }
  const options: RequestOptions = { method: ask.method, headers, agent: false, ...ended }
  if (target.kind === 'socket') return httpRequest({ ...options, socketPath: target.path, path: ask.path })
  const url = new URL(target.base + ask.path)
  return url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
}

function unreachable(target: To, cause: NodeJS.ErrnoException): SallyportError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM')
    return new SallyportError('ADMIN_UNAUTHORIZED', `${target.label} belongs to another user; run this as that user`, {
      cause,
    })
  const place = target.kind === 'socket' ? noPlaceFor(target, cause) : null
  if (place !== null) return place
  const what =
    target.kind === 'socket' ? `no sallyport is running on ${target.label}` : `${target.label} does not answer`
  const start = hintsOf(target.program, target.kind === 'socket' ? target.where : '')('up --policies DIR')
  const absent = target.kind === 'socket' && (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED')
  return new SallyportError(
    'UNREACHABLE',
    `${what} (${cause.code ?? 'unknown fault'}); start one with "${start}", or say where it is with --data DIR or --address URL`,
    { cause, fields: { absent } },
  )
}

/** A data folder on which none can run, or null. What a folder of too long a name holds can still be read. */
function noPlaceFor(
  { path, dataDir }: Target & { kind: 'socket' },
  cause: NodeJS.ErrnoException,
): SallyportError | null {
  if (cause.code === 'ENOTDIR')
    return new SallyportError(
      'UNREACHABLE',
      `the data folder ${dataDir} cannot be used: ${whyNot(cause, dataDir)}; or say where it is with --data DIR`,
      { cause },
    )
  const bytes = Buffer.byteLength(path)
  if (bytes <= MAX_SOCKET_PATH_BYTES) return null
  return new SallyportError(
    'UNREACHABLE',
    `no sallyport can run on ${path}: the path has ${bytes} bytes, the limit is ${MAX_SOCKET_PATH_BYTES}; choose a shorter --data`,
    { cause, fields: { absent: true } },
  )
}

async function textOf(answer: IncomingMessage, target: Target): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > MAX_ANSWER_BYTES) throw broken(target, `sent more than ${MAX_ANSWER_BYTES} bytes`)
      chunks.push(bytes)
    }
  } catch (error) {
    throw error instanceof SallyportError ? error : broken(target, 'went away in mid-answer', error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string, target: Target): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw broken(target, 'answered with something that is not JSON; is it a sallyport?', cause)
  }
}

type ErrorBody = { readonly error: { readonly code: string; readonly message: string } }

function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== 'object' || value === null || !('error' in value)) return false
  const { error } = value
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return false
  return typeof error.code === 'string' && typeof error.message === 'string'
}

const NO_TOKEN =
  'the admin token is missing or wrong: set SALLYPORT_ADMIN_TOKEN to the adminToken that "up -o json" prints'
const IS_FACADE =
  'this is the facade, where agents are served; the admin API is on the port of --admin-port (17446 unless another was given)'

function errorOf(value: unknown, status: number): SallyportError {
  if (isErrorBody(value) && isCode(value.error.code))
    return new SallyportError(
      value.error.code,
      value.error.code === 'ADMIN_UNAUTHORIZED' ? NO_TOKEN : value.error.message,
    )
  if (isErrorBody(value) && value.error.message.startsWith('sallyport: '))
    return new SallyportError('UNREACHABLE', IS_FACADE)
  return new SallyportError('UNREACHABLE', `the answer has status ${status} and is not one of the admin API`)
}

function isCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text)
}

function broken(target: Target, what: string, cause?: unknown): SallyportError {
  return new SallyportError('UNREACHABLE', `${target.label} ${what}`, { cause })
}
