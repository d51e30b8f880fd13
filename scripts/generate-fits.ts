import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'

type CrdSchema = { readonly [key: string]: unknown }

/**
 * A module with one compiled JSON Schema check for each name, as `newValidate` wants them: all errors, defaults filled
 * in, errors that carry their schema and data.
 */
export function fitsModule(schemas: Readonly<Record<string, CrdSchema>>): string {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    strict: false,
    validateFormats: false,
    verbose: true,
    code: { source: true, esm: true },
  })
  const ids: Record<string, string> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    // strictSchema of an object is an object
    ajv.addSchema(strictSchema(schema) as object, name)
    ids[name] = name
  }
  // CommonJS in one package: its functions are the `default` of what an ES module gets
  const code = standalone.default(ajv, ids)
  const imports: string[] = []
  const body = code.replaceAll(/require\("(ajv\/dist\/runtime\/\w+)"\)\.default/g, (_, path: string) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const line = `import ${name} from '${path}.js'`
    if (!imports.includes(line)) imports.push(line)
    return `${name}.default`
  })
  if (body.includes('require(')) throw new Error('the compiled checks use a module that is not known here')
  const types = Object.keys(schemas).map(
    (name) =>
      `/** Fits the schema of its kind; \`errors\` says where not. */\nexport const ${name}: ValidateFunction = ${name}Check`,
  )
  const renamed = body.replaceAll(/export const (\w+) = /g, 'const $1Check = ')
  return [
    '// @ts-nocheck: made by ajv',
    ...imports,
    "import type { ValidateFunction } from 'ajv'",
    renamed.replace('"use strict";', ''),
    ...types,
    '',
  ].join('\n')
}

/** The schema without Kubernetes' words, its objects closed. */
function strictSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strictSchema)
  if (typeof value !== 'object' || value === null) return value
  const node = value as CrdSchema // a member of a schema
  const out: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(node)) {
    if (key.startsWith('x-kubernetes-')) continue
    out[key] = key === 'default' || key === 'enum' ? member : strictSchema(member)
  }
  const root = typeof node['properties'] === 'object' && 'apiVersion' in (node['properties'] as object)
  if (typeof node['properties'] === 'object' && node['properties'] !== null && isSchemaNode(node)) {
    out['additionalProperties'] = false
    if (root) (out['properties'] as Record<string, unknown>)['status'] = {}
  }
  return out
}

/** `properties` may itself be a property's name. */
function isSchemaNode(node: CrdSchema): boolean {
  return node['type'] === 'object'
}
