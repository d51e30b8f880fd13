/** From `crds/`: the types of `pkg/model/api` and the schemas of `pkg/platform/resources`, as text by path. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { parse } from 'yaml'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

type Json = { readonly [key: string]: unknown }

const RESOURCES = [
  {
    type: 'AgentPolicy',
    constant: 'AGENT_POLICY_SCHEMA',
    crd: 'crds/agentpolicies.sallyport.dev.yaml',
    out: 'agent-policy',
  },
  { type: 'Agent', constant: 'AGENT_SCHEMA', crd: 'crds/agents.sallyport.dev.yaml', out: 'agent' },
] as const

const header = (crds: string): string => `// Made by "make generate" from ${crds}. Do not edit.\n`

function schemaOf(crd: string): Json {
  const text = readFileSync(join(root, crd), 'utf8')
  const { spec } = parse(text) as { spec: { versions: { schema: { openAPIV3Schema: Json } }[] } }
  const schema = spec.versions[0]?.schema.openAPIV3Schema
  if (schema === undefined) throw new Error(`${crd} has no schema`)
  return schema
}

/** The schema as JSON Schema for the type maker: closed objects, no Kubernetes words. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const node = value as Json // objects of a parsed document
  const out: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(node)) {
    if (key.startsWith('x-kubernetes-') || key === 'format' || key === 'maxItems' || key === 'minItems') continue
    out[key] = key === 'default' || key === 'enum' ? member : closed(member)
  }
  const opaque = node['x-kubernetes-preserve-unknown-fields'] === true
  if (typeof node['properties'] === 'object') out['additionalProperties'] = false
  else if (node['type'] === 'object' && node['additionalProperties'] === undefined) out['additionalProperties'] = true
  return opaque && node['type'] === undefined ? {} : out
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
    constants.push(
      `export const ${resource.constant}: CrdSchema = ${JSON.stringify(schemaOf(resource.crd), null, 1)}\n`,
    )
  }
  const intro = `${header('crds/')}\n/** A structural schema as a CRD has it. */\nexport type CrdSchema = { readonly [key: string]: unknown }\n\n`
  made.set('pkg/platform/resources/schema.gen.ts', intro + constants.join('\n'))
  return made
}
