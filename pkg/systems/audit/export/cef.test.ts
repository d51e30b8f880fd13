import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '#pkg/model'
import {
  caEvent,
  EVENT_SHAPES,
  issuanceEvent,
  keyUseEvent,
  moveEvent,
  PRODUCT,
  verdictEvent,
} from '../../../../test/fixtures/audit-events.ts'
import { exportEvent } from './index.ts'

const cef = (event: AuditEvent, more: Partial<typeof PRODUCT> = {}): string =>
  exportEvent('cef', event, { ...PRODUCT, ...more })

const lines: readonly (readonly [name: string, event: AuditEvent, line: string])[] = [
  [
    'a refusal',
    verdictEvent({ message: 'm' }),
    'CEF:0|Sallyport|sallyport|0.1.0|INTENT_SQL_DDL|the call changes a database structure or its rights, which is not allowed|5|' +
      'rt=1795593600123 externalId=v_8fK2mQ4xT9bWcZ cat=verdict act=Deny outcome=failure suser=growth/marketing ' +
      'suid=spiffe://sallyport.local/ns/growth/agent/marketing app=openai-chat msg=m cs1Label=policy cs1=growth/marketing ' +
      'cs2Label=rule cs2=intents.deny[0] cs4Label=reasons cs4=INTENT_SQL_DDL cs5Label=taxonomy ' +
      'cs5=LLM06:2025, ASI02, OWASP T2, AML.T0101, NIST MEASURE 2.7, EU AI Act Art. 12, EU AI Act Art. 15 cn1Label=epoch cn1=1 cn2Label=generation cn2=3 ' +
      'cn3Label=judgementUs cn3=184 flexString1Label=direction flexString1=FromModel flexString2Label=tool flexString2=run_sql',
  ],
  [
    'a move by a person',
    moveEvent({ to: 'Suspended', source: 'User', by: 'local', code: null, verdictId: null, reason: 'a=b\\c\nd|e' }),
    'CEF:0|Sallyport|sallyport|0.1.0|MOVE|the agent came from Active to Suspended|5|' +
      'rt=1795593600124 externalId=e_4hTz8Lr2VnYqKd cat=move act=Suspended outcome=success suser=local duser=growth/marketing ' +
      'duid=spiffe://sallyport.local/ns/growth/agent/marketing reason=a\\=b\\\\c\\nd|e cs1Label=from cs1=Active ' +
      'cs2Label=source cs2=User cn1Label=epoch cn1=2',
  ],
  [
    'a credential',
    issuanceEvent(),
    'CEF:0|Sallyport|sallyport|0.1.0|ISSUANCE|a certificate was signed for the agent|1|' +
      'rt=1795593601000 externalId=e_Q7wNc3Jm5XtRbP cat=issuance act=issue outcome=success duser=growth/marketing ' +
      'duid=spiffe://sallyport.local/ns/growth/agent/marketing cs1Label=credential cs1=X509Svid cs2Label=serial ' +
      'cs2=4af1c2d03b9e77aa cs3Label=notAfter cs3=2026-11-25T09:00:01Z cs4Label=slot cs4=x509-1 cn1Label=epoch cn1=1',
  ],
  [
    'a key of a provider',
    keyUseEvent(),
    "CEF:0|Sallyport|sallyport|0.1.0|KEY_USE|a provider's key was put into a request of the agent|1|" +
      'rt=1795593602000 externalId=e_2pLs9Gd6HvTkYc cat=key-use act=use-key outcome=success suser=growth/marketing ' +
      'suid=spiffe://sallyport.local/ns/growth/agent/marketing cs1Label=provider cs1=openai cs2Label=key cs2=OPENAI_API_KEY',
  ],
  [
    'a key of the CA',
    caEvent(),
    'CEF:0|Sallyport|sallyport|0.1.0|CA|a signing key of the CA came from Active to Tainted|8|' +
      'rt=1795593603000 externalId=e_9rBv4Wy7ZsMfNx cat=ca act=Tainted outcome=success suser=socket:uid\\=0 ' +
      'reason=the disk was copied cs1Label=authority cs1=X509 cs2Label=slot cs2=x509-1 cs3Label=from cs3=Active',
  ],
]

for (const [name, event, line] of lines)
  test(`[SIEM-04] ${name} as CEF`, () => {
    assert.equal(cef(event), line)
  })

test('[SIEM-04] the header escapes what ends a field, and has eight parts whatever stands in it', () => {
  const line = cef(verdictEvent(), { vendor: 'a|b\\c\nd', name: 'x=y', version: '\u2028' })
  assert.ok(line.startsWith('CEF:0|a\\|b\\\\c\\\\u{a}d|x=y|\\\\u{2028}|INTENT_SQL_DDL|'), line)
  for (const [name, event] of EVENT_SHAPES) assert.equal(cef(event).split(/(?<!\\)\|/).length, 8, name)
})

const long: readonly (readonly [text: string, end: string])[] = [
  ['x'.repeat(2_000), `${'x'.repeat(1_022)}…`],
  [`${'x'.repeat(1_021)}${'😀'.repeat(9)}`, `${'x'.repeat(1_021)}…`],
  ['='.repeat(2_000), `${'\\='.repeat(1_022)}…`],
]

for (const [text, end] of long)
  test(`[SIEM-04] a value that is too long for its key is cut between characters: ${text.slice(1_019, 1_024)}`, () => {
    const line = cef(verdictEvent({ message: text }))
    assert.ok(line.includes(` msg=${end} cs1Label=`))
  })
