import assert from 'node:assert/strict'
import { formatFault, newResourceReader, type Resource, type Resources } from '#pkg/platform/resources'
import type { Target } from './runner/target.ts'

const reader = newResourceReader()
const MAX_FAULTS = 100
/** Of 16 KiB, the most that a run gets; a loaded machine included. */
const MAX_READ_MS = 2_000

const read = (text: string): Resources => reader.read({ path: 'p.yaml', text })

function checkFaults({ faults }: Resources, text: string): void {
  assert.ok(faults.length <= MAX_FAULTS + 1, `${faults.length} faults`)
  const lines = text.split(/\r\n|\r|\n/).length
  for (const fault of faults) {
    assert.ok(fault.line >= 1 && fault.line <= lines, `line ${fault.line} of ${lines}`)
    assert.ok(fault.column >= 1 && fault.column <= text.length + 1, `column ${fault.column}`)
    const line = formatFault(fault)
    assert.ok(!/[\r\n]/.test(line), 'a fault of two lines')
    assert.ok(line.length <= 2_000, `a fault of ${line.length} characters`)
  }
}

/** What was accepted is the same resource when it is written out as JSON, defaults and all. */
function checkAccepted(resource: Resource<object>): void {
  const written = JSON.stringify({ ...resource.value, status: undefined })
  const again = read(written)
  assert.deepEqual(again.faults, [], written)
  const [twin] = [...again.policies, ...again.agents]
  assert.deepEqual(JSON.stringify({ ...twin?.value, status: undefined }), written)
  assert.equal(twin?.key, resource.key)
  const { line, column } = resource.at(['spec'])
  assert.ok(line >= 1 && column >= 1)
}

/** A file of policies: never a throw, in time, each fault one line at a place of the file, and read alike in YAML and JSON. */
export const target: Target = {
  name: 'resources',
  words: [
    'apiVersion: sallyport.dev/v1alpha1\n',
    'kind: AgentPolicy\n',
    'kind: Agent\n',
    'metadata: { name: a }\n',
    'spec:\n',
    '  selector: {}\n',
    '  role: r\n',
    '  tools: { allow: [{ name: x }] }\n',
    '---\n',
    '...\n',
    '%YAML 1.2\n',
    '%TAG ! x\n',
    '&a ',
    '*a',
    '<<: ',
    '!!str ',
    '!<x> ',
    '? ',
    '- ',
    ': ',
    '|\n',
    '>-\n',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '\\u0000',
    '\t',
    '\r',
    '\u2028',
    '\ufeff',
    '#',
    'null',
    '~',
    '0x1',
    '.inf',
    '__proto__: ',
    'constructor: ',
    '\n  ',
    '{a: '.repeat(70),
    '- '.repeat(140),
  ],
  run(bytes) {
    const text = Buffer.from(bytes).toString('utf8')
    const started = performance.now()
    const seen = read(text)
    const ms = performance.now() - started
    assert.ok(ms < MAX_READ_MS, `${ms.toFixed(0)} ms`)
    checkFaults(seen, text)
    for (const resource of [...seen.policies, ...seen.agents]) checkAccepted(resource)
    // what is quoted in a fault is the input's; the words around it are ours
    const kinds = seen.faults
      .slice(0, 5)
      .map(({ code, message }) => `${code} ${message.replace(/".*"|\d+/g, '').slice(0, 40)}`)
    return [...new Set(kinds), seen.policies.length > 0 ? 'policy' : '', seen.agents.length > 0 ? 'agent' : ''].join(
      ' ',
    )
  },
}
