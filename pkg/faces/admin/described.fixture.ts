import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { adminOpenApi } from './index.ts'
import { partsOf, ROUTES } from './routes.ts'

const document = adminOpenApi()
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false })
ajv.addKeyword('components')
const compiled = new Map<string, ValidateFunction>()

type Media = { readonly schema: object }
type Response = { readonly content: Readonly<Record<string, Media>> }
type Operation = { readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>> }

/** Operations that were answered while tests ran, as `GET /path 200`. */
export const seen = new Set<string>()

/** Fails unless a value is what the document calls by that schema. */
export function assertFits(schema: object, value: unknown, what: string): void {
  const key = JSON.stringify(schema)
  const validate = compiled.get(key) ?? ajv.compile({ ...schema, components: document.components })
  compiled.set(key, validate)
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`)
}

/** Fails unless an answer is one that the document promises of its operation; a fault outside of all must be an Error. */
export function assertDescribed(method: string, url: string, answer: Answered): void {
  const [path = ''] = url.split('?')
  const route = ROUTES.find((each) => each.method === method && partsOf(each, path) !== null)
  const what = `${method} ${url} ${answer.status}`
  const type = (answer.type ?? '').split(';')[0] ?? ''
  if (route === undefined && (path === '/' || path.startsWith('/dashboard')) && answer.status < 400) return // a file of the page
  if (route === undefined) return assertFits({ $ref: '#/components/schemas/Error' }, JSON.parse(answer.text), what)
  const operation = document.paths[route.path]?.[method.toLowerCase()] as Operation | undefined // as `openApiOf` makes it
  const media = responseOf(operation?.responses[answer.status])?.content[type]
  assert.ok(media !== undefined, `${what} ${type} is not described`)
  seen.add(`${method} ${route.path} ${answer.status}`)
  if (type === 'application/json') assertFits(media.schema, JSON.parse(answer.text), what)
  if (type === 'application/x-ndjson')
    for (const line of answer.text.split('\n').slice(0, -1)) assertFits(media.schema, JSON.parse(line), what)
}

function responseOf(given: Response | { readonly $ref: string } | undefined): Response | undefined {
  if (given === undefined || !('$ref' in given)) return given
  const found: unknown = document.components.responses[given.$ref.slice('#/components/responses/'.length)]
  return found as Response | undefined // as `openApiOf` makes it
}

type Answered = { readonly status: number; readonly type: string | undefined; readonly text: string }
