import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { AGENT_POLICY_SCHEMA, AGENT_SCHEMA, type CrdSchema, newResourceReader } from './index.ts'

/** What an API server demands of a structural schema, and what POLICY.md demands of ours, read from the CRDs themselves. */
type Crd = {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: string
    readonly names: { readonly plural: string; readonly categories: readonly string[]; readonly shortNames?: string[] }
    readonly versions: readonly {
      readonly name: string
      readonly subresources: object
      readonly additionalPrinterColumns: readonly { readonly name: string }[]
      readonly schema: { readonly openAPIV3Schema: CrdSchema }
    }[]
  }
}

const crdOf = (name: string): Crd =>
  parse(readFileSync(new URL(`../../../crds/${name}.sallyport.dev.yaml`, import.meta.url), 'utf8')) as Crd
const CRDS = [
  { crd: crdOf('agentpolicies'), schema: AGENT_POLICY_SCHEMA },
  { crd: crdOf('agents'), schema: AGENT_SCHEMA },
]

type Visit = (node: CrdSchema, path: string) => void

function walk(node: CrdSchema, path: string, visit: Visit): void {
  visit(node, path)
  for (const [key, member] of Object.entries((node['properties'] ?? {}) as object))
    walk(member, `${path}.${key}`, visit)
  for (const key of ['items', 'additionalProperties'] as const)
    if (typeof node[key] === 'object') walk(node[key] as CrdSchema, `${path}[]`, visit)
}

const faultsOf = (schema: CrdSchema, wrong: (node: CrdSchema, path: string) => boolean): readonly string[] => {
  const found: string[] = []
  walk(schema, '', (node, path) => wrong(node, path) && found.push(path))
  return found
}

for (const { crd, schema } of CRDS) {
  const name = crd.metadata.name
  const version = crd.spec.versions[0]

  test(`[RES-06] ${name}: what the process validates by is what a cluster would`, () => {
    assert.deepEqual(schema, version?.schema.openAPIV3Schema)
    assert.deepEqual([crd.spec.group, crd.spec.scope, version?.name], ['sallyport.dev', 'Namespaced', 'v1alpha1'])
    assert.equal(name, `${crd.spec.names.plural}.sallyport.dev`)
    assert.deepEqual(crd.spec.names.categories, ['sallyport'])
    assert.deepEqual(version?.subresources, { status: {} })
  })

  test(`[RES-06] ${name}: the schema is structural`, () => {
    const open = (node: CrdSchema): boolean => node['x-kubernetes-preserve-unknown-fields'] === true
    assert.deepEqual(
      faultsOf(schema, (node) => typeof node['type'] !== 'string' && !open(node)),
      [],
      'a type everywhere',
    )
    assert.deepEqual(
      faultsOf(schema, (node) => node['additionalProperties'] !== undefined && node['properties'] !== undefined),
      [],
      'properties or additionalProperties, not both',
    )
    assert.deepEqual(
      faultsOf(schema, (node) => node['type'] === 'array' && typeof node['items'] !== 'object'),
      [],
      'a list has one schema for its items',
    )
    const words = [
      '$ref',
      'definitions',
      'dependencies',
      'deprecated',
      'patternProperties',
      'readOnly',
      'writeOnly',
      'xml',
      'uniqueItems',
      'const',
    ]
    assert.deepEqual(
      faultsOf(schema, (node) => words.some((word) => word in node)),
      [],
      'no word that an API server refuses',
    )
  })

  test(`[RES-06] ${name}: keys of map lists are strings or integers that are required or have a default`, () => {
    assert.deepEqual(
      faultsOf(schema, (node) => {
        const keys = (node['x-kubernetes-list-map-keys'] ?? []) as readonly string[]
        const item = (node['items'] ?? {}) as { properties?: Record<string, CrdSchema>; required?: string[] }
        const fits = (key: string): boolean => {
          const member = item.properties?.[key]
          const given = (item.required ?? []).includes(key) || member?.['default'] !== undefined
          return given && ['string', 'integer'].includes(String(member?.['type']))
        }
        return (node['x-kubernetes-list-type'] === 'map') !== keys.length > 0 || !keys.every(fits)
      }),
      [],
    )
  })

  test(`[RES-06] ${name}: every list, map and string is bounded, every field described`, () => {
    assert.deepEqual(
      faultsOf(schema, (node) => {
        if (node['type'] === 'array') return node['maxItems'] === undefined
        if (node['type'] === 'string') return node['maxLength'] === undefined && node['enum'] === undefined
        return node['additionalProperties'] !== undefined && node['maxProperties'] === undefined
      }),
      [],
    )
    assert.deepEqual(
      faultsOf(
        schema,
        (node, path) => path.startsWith('.spec') && !path.endsWith('[]') && node['description'] === undefined,
      ),
      [],
    )
  })

  test(`[RES-06] ${name}: a default is whole, for an API server does not look into it`, () => {
    assert.deepEqual(
      faultsOf(schema, (node) => {
        const given = node['default']
        if (given === undefined || typeof given !== 'object' || Array.isArray(given)) return false
        const members = Object.entries((node['properties'] ?? {}) as Record<string, CrdSchema>)
        const wanted = members.filter(([, member]) => member['default'] !== undefined)
        return (
          JSON.stringify(given) !==
          JSON.stringify(Object.fromEntries(wanted.map(([key, each]) => [key, each['default']])))
        )
      }),
      [],
    )
  })
}

test('[RES-06] the columns are those of POLICY.md, and a policy has its short name', () => {
  const [policies, agents] = CRDS.map(({ crd }) =>
    (crd.spec.versions[0]?.additionalPrinterColumns ?? []).map(({ name }) => name).join(' '),
  )
  assert.equal(policies, 'Role Mode Agents Acked Selected Accepted Programmed Age')
  assert.equal(agents, 'State Role Pods Epoch Acked Spent Limit Age')
  assert.deepEqual(CRDS[0]?.crd.spec.names.shortNames, ['agp'])
})

const laxFirst: readonly (readonly [path: string, order: readonly string[]])[] = [
  ['.spec.mode', ['Audit', 'Enforce']],
  ['.spec.activation', ['Automatic', 'Manual']],
  ['.spec.onViolation.action', ['Record', 'Redact', 'Hold', 'Deny', 'Abort', 'Sever']],
  ['.spec.whenTainted.mode', ['Graded', 'RequireTrustedArguments', 'Approve', 'Deny']],
  ['.spec.tools.allow[].approval.mode', ['Never', 'Always']],
  ['.spec.mcp.servers[].onDrift', ['Record', 'Hold', 'Deny']],
  ['.spec.session.bindCalls', ['Off', 'Observe', 'Require']],
  ['.spec.session.unlinked', ['Fresh', 'Inherit']],
  ['.spec.egress[].tls', ['Opaque', 'Inspect']],
  ['.spec.pod.kubernetesApi', ['Allow', 'Deny']],
  ['.spec.pod.workloadApi', ['Open', 'Closed']],
]
for (const [path, order] of laxFirst)
  test(`[RES-06] ${path} is printed laxest first, as the merge reads it`, () => {
    const found = faultsOf(
      AGENT_POLICY_SCHEMA,
      (node, at) => at === path && JSON.stringify(node['enum']) === JSON.stringify(order),
    )
    assert.deepEqual(found, [path])
  })

const POLICY = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'p' } }
const AGENT = { ...POLICY, kind: 'Agent' }
const spec = (more: object): object => ({ ...POLICY, spec: { selector: {}, role: 'r', ...more } })
const selecting = (expression: object): object =>
  spec({ selector: { matchExpressions: [{ key: 'app', ...expression }] } })
const provider = (more: object): object => spec({ llm: { providers: [{ name: 'p', ...more }] } })
const tools = (execution: string, bindCalls: string): object =>
  spec({ session: { bindCalls }, tools: { allow: [{ name: 'x', execution }] } })

/** Each rule of the CRDs, by its message: resources that keep it, resources that break it. */
const RULES: Readonly<Record<string, { readonly keep: readonly object[]; readonly break: readonly object[] }>> = {
  'In and NotIn need values; Exists and DoesNotExist take none': {
    keep: [
      selecting({ operator: 'In', values: ['a'] }),
      selecting({ operator: 'NotIn', values: ['a'] }),
      selecting({ operator: 'Exists' }),
      selecting({ operator: 'DoesNotExist', values: [] }),
    ],
    break: [
      selecting({ operator: 'In' }),
      selecting({ operator: 'NotIn', values: [] }),
      selecting({ operator: 'Exists', values: ['a'] }),
      selecting({ operator: 'DoesNotExist', values: ['a'] }),
    ],
  },
  'session.bindCalls Require needs every tool of tools.allow to leave the pod; local and stdio calls cannot be bound': {
    keep: [tools('local', 'Observe'), tools('mcp', 'Require'), spec({ session: { bindCalls: 'Require' } })],
    break: [tools('local', 'Require'), tools('stdio', 'Require')],
  },
  'a structured output has no effects, so execution output takes no intents': {
    keep: [
      spec({ tools: { allow: [{ name: 'x', execution: 'output' }] } }),
      spec({ tools: { allow: [{ name: 'x', execution: 'output', intents: [] }] } }),
      spec({ tools: { allow: [{ name: 'x', intents: ['sql.read'] }] } }),
    ],
    break: [spec({ tools: { allow: [{ name: 'x', execution: 'output', intents: ['sql.read'] }] } })],
  },
  'exactly one of fence and tag': {
    keep: [spec({ textTools: [{ fence: 'bash' }, { tag: 'act' }] })],
    break: [spec({ textTools: [{ fence: 'bash', tag: 'act' }] }), spec({ textTools: [{}] })],
  },
  'exactly one of kinds and pattern': {
    keep: [
      spec({ data: [{ name: 'a', action: 'Deny', kinds: ['Iban'] }] }),
      spec({ data: [{ name: 'a', action: 'Deny', pattern: 'x' }] }),
    ],
    break: [
      spec({ data: [{ name: 'a', action: 'Deny' }] }),
      spec({ data: [{ name: 'a', action: 'Deny', pattern: 'x', kinds: ['Iban'] }] }),
    ],
  },
  'host is required for OpenAICompatible and set for no other type': {
    keep: [provider({ type: 'OpenAI' }), provider({ type: 'OpenAICompatible', host: 'llm.example' })],
    break: [provider({ type: 'OpenAICompatible' }), provider({ type: 'OpenAI', host: 'llm.example' })],
  },
  'reason is required unless state is Active': {
    keep: [AGENT, { ...AGENT, spec: {} }, { ...AGENT, spec: { state: 'Quarantined', reason: 'odd' } }],
    break: [
      { ...AGENT, spec: { state: 'Quarantined' } },
      { ...AGENT, spec: { state: 'Terminated', reason: '' } },
    ],
  },
}

const reader = newResourceReader()
const messagesOf = (resource: object): readonly string[] =>
  reader.read({ path: 'p.json', text: JSON.stringify(resource) }).faults.map((fault) => fault.message)

for (const [message, rows] of Object.entries(RULES))
  test(`[RES-07] the CRD's rule holds in files: ${message}`, () => {
    for (const kept of rows.keep) assert.deepEqual(messagesOf(kept), [], JSON.stringify(kept))
    for (const broken of rows.break) {
      const [first = '', ...more] = messagesOf(broken)
      assert.ok(first.endsWith(`: ${message}`), `${JSON.stringify(broken)} → ${first}`)
      assert.deepEqual(more, [])
    }
  })

test('[RES-07] no rule of the CRDs is without its rows', () => {
  const rules = new Set<string>()
  for (const { schema } of CRDS) {
    walk(schema, '', (node) => {
      for (const rule of (node['x-kubernetes-validations'] ?? []) as { message: string }[]) rules.add(rule.message)
    })
  }
  assert.deepEqual([...rules].sort(), Object.keys(RULES).sort())
})
