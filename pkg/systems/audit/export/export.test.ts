import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AuditEvent, agentKeyOf } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import {
  caEvent,
  EVENT_SHAPES,
  issuanceEvent,
  keyUseEvent,
  moveEvent,
  PRODUCT,
  verdictEvent,
} from '../../../../test/fixtures/audit-events.ts'
import { EXPORT_FORMATS, exportEvent } from './index.ts'

/** Whatever ends a line or steers a terminal anywhere. */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u0085]/u

/** Texts with more of what is dangerous than chance would bring. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\0',
        '\u2028',
        '\u2029',
        '\u0085',
        '\u001b[2J',
        '\u202e',
        '\ud800',
        '\udc00',
      ),
      fc.constantFrom(
        '|',
        '\\',
        '=',
        '\\=',
        '\\n',
        '"',
        "'",
        '{',
        '}',
        ' act=Allow',
        '","action":"Allow',
        '\u200b',
        '\ufeff',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

const maybe = fc.option(hostile)

/** Events whose free texts are hostile; closed words stay what they are. */
const events: fc.Arbitrary<AuditEvent> = fc
  .record({ a: hostile, b: hostile, c: maybe, d: maybe, e: maybe, shape: fc.nat({ max: 5 }) })
  .map(({ a, b, c, d, e, shape }): AuditEvent => {
    const agent = agentKeyOf({ namespace: a, name: b })
    if (shape === 0) return moveEvent({ agent, by: c, reason: d, verdictId: e, code: null })
    if (shape === 1) return moveEvent({ agent, code: a, reason: b })
    if (shape === 2) return issuanceEvent({ agent, spiffeId: a, serial: b, slot: a, audience: c })
    if (shape === 3) return keyUseEvent({ agent, provider: a, key: b })
    if (shape === 4) return caEvent({ slot: a, by: c, reason: d })
    const more = e === null ? {} : { caller: e }
    return verdictEvent({ agent, tool: c, session: d, dialect: a, message: b, rule: c, policy: d, ...more })
  })

/** The extension of a line, read by the letter of the format: keys to values, escapes taken back. */
function extensionOf(line: string): ReadonlyMap<string, string> {
  const header = /^CEF:0\|(?:(?:[^\\|]|\\[\\|])*\|){6}/.exec(line)?.[0]
  assert.ok(header !== undefined, line)
  const found = new Map<string, string>()
  let rest = line.slice(header.length)
  while (rest !== '') {
    const pair = /^ ?([A-Za-z0-9]+)=((?:[^\\=]|\\[\\=n])*?)(?=$| [A-Za-z0-9]+=)/.exec(rest)
    assert.ok(pair !== null, rest)
    const [all, key = '', value = ''] = pair
    assert.equal(found.has(key), false)
    found.set(
      key,
      value.replace(/\\(.)/g, (_all, char) => (char === 'n' ? '\n' : char)),
    )
    rest = rest.slice(all.length)
  }
  return found
}

test('[SIEM-02] one event is one line of printable characters, whatever stands in it', () => {
  fc.assert(
    fc.property(events, (event) => {
      for (const format of EXPORT_FORMATS) {
        const line = exportEvent(format, event, PRODUCT)
        assert.equal(STEERING.test(line), false)
        if (format === 'cef') assert.equal(extensionOf(line).get('cat'), event.kind)
        else assert.equal(JSON.parse(line) instanceof Object, true)
      }
    }),
    { numRuns: 500 },
  )
})

test('[SIEM-02] a tool keeps its name in JSON but for halves of surrogate pairs, and members do not change', () => {
  fc.assert(
    fc.property(hostile, (tool) => {
      const ocsf = JSON.parse(exportEvent('ocsf', verdictEvent({ tool }), PRODUCT))
      const calm = JSON.parse(exportEvent('ocsf', verdictEvent({ tool: tool === '' ? null : 'x' }), PRODUCT))
      assert.deepEqual(Object.keys(ocsf), Object.keys(calm))
      if (tool !== '') assert.equal(ocsf.evidences[0].api.operation, tool.toWellFormed())
      assert.equal(ocsf.action, 'Denied')
      const ecs = JSON.parse(exportEvent('ecs', verdictEvent({ tool }), PRODUCT))
      assert.equal(ecs.event.action, 'verdict-deny')
    }),
  )
})

test('[SIEM-02] in CEF no text makes a key of its own, and what was written is read again', () => {
  const names = [...extensionOf(exportEvent('cef', verdictEvent({ tool: 'x', message: 'x' }), PRODUCT)).keys()]
  fc.assert(
    fc.property(hostile, (text) => {
      fc.pre(text !== '')
      const read = extensionOf(exportEvent('cef', verdictEvent({ tool: text, message: text }), PRODUCT))
      assert.deepEqual([...read.keys()], names)
      assert.equal(read.get('act'), 'Deny')
      if (/^[\x20-\x7e]{1,60}$/.test(text)) assert.equal(read.get('flexString2'), text)
    }),
  )
})

test('[SIEM-02] nothing of an event is exported that the format does not name', () => {
  for (const [name, event] of EVENT_SHAPES)
    for (const format of EXPORT_FORMATS) {
      const payload = { arguments: 'S3CRET', body: { text: 'S3CRET' }, evidence: ['S3CRET'], token: 'S3CRET' }
      const line = exportEvent(format, { ...event, ...payload } as AuditEvent, PRODUCT) // as a file may hold it
      assert.equal(line.includes('S3CRET'), false, name)
      assert.equal(line, exportEvent(format, event, PRODUCT))
    }
})

const unknown: readonly (readonly [name: string, event: object])[] = [
  ['a kind', { ...caEvent(), kind: 'anchor' }],
  ['an action', verdictEvent({ action: 'Ponder' as never })],
  ['a state of an agent', moveEvent({ to: 'Asleep' as never })],
  ['a state of a key', caEvent({ to: 'Lost' as never })],
  ['a time', verdictEvent({ time: 'yesterday' })],
  ['reasons', verdictEvent({ reasons: null as never })],
]

for (const [name, event] of unknown)
  test(`[SIEM-02] an event that this version cannot say is refused: ${name}`, () => {
    for (const format of EXPORT_FORMATS)
      assert.throws(
        () => exportEvent(format, event as AuditEvent, PRODUCT),
        (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
      )
  })

test('[SIEM-02] a reason of a newer version is exported, without ids that nobody has looked up', () => {
  const line = exportEvent('ocsf', verdictEvent({ reasons: ['NEW_REASON' as never] }), PRODUCT)
  const { status_code, finding_info } = JSON.parse(line)
  assert.deepEqual([status_code, finding_info.attacks, finding_info.tags], ['NEW_REASON', undefined, undefined])
})
