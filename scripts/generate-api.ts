/** From `crds/`: the types of `pkg/model/api` and the schemas of `pkg/platform/resources`, as text by path. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { parse } from 'yaml'
import { fitsModule } from './generate-fits.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

type Json = { readonly [key: string]: unknown }

const RESOURCES = [
  {
    type: 'AgentPolicy',
    constant: 'AGENT_POLICY_SCHEMA',
    fits: 'agentPolicyFits',
    crd: 'crds/agentpolicies.sallyport.dev.yaml',
    out: 'agent-policy',
  },
  { type: 'Agent', constant: 'AGENT_SCHEMA', fits: 'agentFits', crd: 'crds/agents.sallyport.dev.yaml', out: 'agent' },
] as const

const header = (crds: string): string => `// Made by "make generate" from ${crds}. Do not edit.\n`

function schemaOf(crd: string): Json {
  const text = readFileSync(join(root, crd), 'utf8')
  const { spec } = parse(text) as { spec: { versions: { schema: { openAPIV3Schema: Json } }[] } }
  const schema = spec.versions[0]?.schema.openAPIV3Schema
  if (schema === undefined) throw new Error(`${crd} has no schema`)
  return schema
}

const DROPPED = new Set(['format', 'minItems', 'maxItems'])

/** The schema as JSON Schema for the type maker: closed objects, no Kubernetes words. */
function closed(node: Json): Json {
  const opaque = node['x-kubernetes-preserve-unknown-fields'] === true
  if (opaque && node['type'] === undefined) return {}
  const out: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(node)) {
    if (!key.startsWith('x-kubernetes-') && !DROPPED.has(key)) out[key] = member
  }
  // members of a structural schema: `properties` is a map of schemas, `items` one schema
  const properties = node['properties'] as { readonly [name: string]: Json } | undefined
  if (properties !== undefined) {
    out['properties'] = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, closed(member)]))
    out['additionalProperties'] = opaque
  } else if (node['type'] === 'object') {
    const members = node['additionalProperties']
    out['additionalProperties'] = typeof members === 'object' && members !== null ? closed(members as Json) : true
  }
  if (node['items'] !== undefined) out['items'] = closed(node['items'] as Json)
  return out
}

async function typesOf(resource: (typeof RESOURCES)[number]): Promise<string> {
  const schema = closed(schemaOf(resource.crd)) as JSONSchema
  const text = await compile({ ...schema, title: resource.type }, resource.type, {
    bannerComment: '',
    additionalProperties: false,
    unknownAny: true,
    style: { singleQuote: true, semi: false, printWidth: 120 },
  })
  return `${header(resource.crd)}\n${text}`
}

/** Repository path → text. */
export async function generatedApi(): Promise<ReadonlyMap<string, string>> {
  const made = new Map<string, string>()
  const constants: string[] = []
  for (const resource of RESOURCES) {
    made.set(`pkg/model/api/${resource.out}.gen.ts`, await typesOf(resource))
    const schema = JSON.stringify(schemaOf(resource.crd), null, 1)
    const doc = `/** openAPIV3Schema of ${resource.type} v1alpha1, with its x-kubernetes words. */`
    constants.push(`${doc}\nexport const ${resource.constant}: CrdSchema = ${schema}\n`)
  }
  const intro = `${header('crds/')}\n/** A structural schema as a CRD has it. */\nexport type CrdSchema = { readonly [key: string]: unknown }\n\n`
  made.set('pkg/platform/resources/schema.gen.ts', intro + constants.join('\n'))
  const schemas = Object.fromEntries(RESOURCES.map(({ crd, fits }) => [fits, schemaOf(crd)]))
  made.set('pkg/platform/resources/fits.gen.ts', `${header('crds/')}\n${fitsModule(schemas)}`)
  return made
}
