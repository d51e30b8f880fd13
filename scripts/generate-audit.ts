import {
  ACTIONS,
  AUDIT_KINDS,
  type AuditEvent,
  FRAMEWORK_KEYS,
  FRAMEWORKS,
  REASON_CLASSES,
  REASONS,
  THREAT_CLASSES,
  titleOf,
} from '#pkg/model'
import {
  ACTION_SEVERITIES,
  EXPORT_FORMATS,
  type ExportFormat,
  exportEvent,
  FOUND_SEVERITIES,
  MOVE_ACTIVITIES,
  OCSF_OUTCOMES,
  outcomeOf,
  SCHEMA_VERSIONS,
  SEVERITIES,
  SLOT_ACTIVITIES,
  SLOT_SEVERITIES,
  STATE_SEVERITIES,
} from '#pkg/systems/audit'
import {
  caEvent,
  EVENT_SHAPES,
  issuanceEvent,
  keyUseEvent,
  moveEvent,
  PRODUCT,
  verdictEvent,
} from '../test/fixtures/audit-events.ts'

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---|').join('')}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
]

/** `docs/reference/taxonomy.md`: lists, classes, and the class of every reason. */
export function taxonomyPage(): string {
  const names = Object.keys(THREAT_CLASSES) as (keyof typeof THREAT_CLASSES)[] // `Object.keys` forgets
  const reasonsOf = (name: string): readonly string[] =>
    Object.keys(REASONS).filter((code) => REASON_CLASSES[code as keyof typeof REASON_CLASSES] === name)
  return [
    '# Taxonomy',
    '',
    'What each reason guards against, in the words of published lists. Every reason belongs to one class, every class has the ids below; they go',
    'into what is exported ([audit-export.md](audit-export.md)). An id says which known risk a refusal belongs to. It is no proof that somebody',
    'attacked, and no statement that a law binds: which articles of the AI Act do depends on the system and its deployer. Where no id of a list',
    'means what the class means, none is given. Made by `make generate` from `pkg/model/taxonomy.ts`, `threat-classes.ts` and `taxonomy-lists.ts`.',
    '',
    '## Lists',
    '',
    ...table(
      ['list', 'edition', 'ids that are used'],
      FRAMEWORK_KEYS.map((key) => [
        FRAMEWORKS[key].name,
        FRAMEWORKS[key].version,
        Object.keys(FRAMEWORKS[key].ids)
          .map((id) => `${id} ${titleOf(key, id)}`)
          .join('; '),
      ]),
    ),
    '',
    'OWASP has published a list for LLM applications of 2026, which numbers the risks anew; the year stands in the id. ATLAS gave some techniques',
    'new numbers in 2026.07; those here kept theirs.',
    '',
    '## Classes',
    '',
    ...table(
      ['class', 'what', ...FRAMEWORK_KEYS.map((key) => FRAMEWORKS[key].name)],
      names.map((name) => [
        `\`${name}\``,
        THREAT_CLASSES[name].text,
        ...FRAMEWORK_KEYS.map((key) =>
          THREAT_CLASSES[name][key].length === 0 ? '–' : THREAT_CLASSES[name][key].join(', '),
        ),
      ]),
    ),
    '',
    '## Reasons',
    '',
    ...table(
      ['class', 'reasons'],
      names.map((name) => [
        `\`${name}\``,
        reasonsOf(name)
          .map((code) => `\`${code}\``)
          .join(', '),
      ]),
    ),
    '',
    'What a code means stands in [reasons.md](reasons.md).',
    '',
  ].join('\n')
}

/** Fields that a kind of event has in a format, in the order in which they first come. */
function fieldsOf(format: ExportFormat, kind: AuditEvent['kind']): readonly string[] {
  const found = new Set<string>()
  for (const [, event] of EVENT_SHAPES)
    if (event.kind === kind) {
      const line = exportEvent(format, event, PRODUCT)
      for (const name of format === 'cef' ? cefKeys(line) : jsonPaths(JSON.parse(line))) found.add(name)
    }
  return [...found]
}

function cefKeys(line: string): readonly string[] {
  const labels = new Map([...line.matchAll(/ (\w+)Label=(\w+)/g)].map((match) => [match[1] ?? '', match[2] ?? '']))
  const keys = [
    ...line
      .split('|')
      .slice(7)
      .join('|')
      .matchAll(/(?:^| )(\w+)=/g),
  ].map((match) => match[1] ?? '')
  return keys
    .filter((key) => !key.endsWith('Label'))
    .map((key) => (labels.has(key) ? `${key} (${labels.get(key)})` : key))
}

function jsonPaths(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((each) => jsonPaths(each, `${path}[]`)))]
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) => jsonPaths(member, path === '' ? name : `${path}.${name}`))
}

const fieldRows = (format: ExportFormat): readonly string[] =>
  table(
    ['kind', 'fields'],
    AUDIT_KINDS.map((kind) => [
      kind,
      fieldsOf(format, kind)
        .map((name) => `\`${name}\``)
        .join(', '),
    ]),
  )

const EXAMPLES: readonly (readonly [name: string, event: AuditEvent])[] = [
  ['a refused call', verdictEvent()],
  ['a call that passed', verdictEvent({ action: 'Allow', reasons: [], check: null, rule: null, message: '' })],
  ['the firewall quarantines an agent', moveEvent()],
  ['a certificate is signed', issuanceEvent()],
  ["a provider's key is used", keyUseEvent()],
  ['a key of the CA is tainted', caEvent()],
]

function exampleText(format: ExportFormat, event: AuditEvent): readonly string[] {
  const line = exportEvent(format, event, PRODUCT)
  return format === 'cef' ? ['```', line, '```'] : ['```json', JSON.stringify(JSON.parse(line), null, 2), '```']
}

const TITLES: Readonly<Record<ExportFormat, string>> = { ocsf: 'OCSF', cef: 'CEF', ecs: 'ECS' }

/** `docs/reference/audit-export.md`: mappings and examples, from the code that makes the lines. */
export function auditExportPage(): string {
  const outcomes = ACTIONS.map((action) => {
    const of = (enforced: boolean): string => {
      const { action: did, disposition } = OCSF_OUTCOMES[outcomeOf(verdictEvent({ action, enforced }))]
      return `${did[1]} (${did[0]}), ${disposition[1]} (${disposition[0]})`
    }
    const severity = ACTION_SEVERITIES[action]
    return [action, of(true), of(false), `${severity} (${SEVERITIES[severity].ocsf})`, String(SEVERITIES[severity].ten)]
  })
  const states = (Object.keys(MOVE_ACTIVITIES) as (keyof typeof MOVE_ACTIVITIES)[]).map((state) => [
    `agent to ${state}`,
    MOVE_ACTIVITIES[state].toReversed().join(' '),
    STATE_SEVERITIES[state],
  ])
  const slots = (Object.keys(SLOT_ACTIVITIES) as (keyof typeof SLOT_ACTIVITIES)[]).map((state) => [
    `key of the CA to ${state}`,
    SLOT_ACTIVITIES[state].toReversed().join(' '),
    SLOT_SEVERITIES[state],
  ])
  return [
    ...INTRO,
    '## Verdicts',
    '',
    ...table(
      ['action', 'OCSF action, disposition', 'in Audit mode', 'OCSF severity', 'CEF and ECS severity'],
      outcomes,
    ),
    '',
    '## Moves',
    '',
    ...table(['event', 'OCSF activity of Entity Management', 'severity'], [...states, ...slots]),
    '',
    ...table(['a process opened the log, and found', 'severity'], Object.entries(FOUND_SEVERITIES)),
    '',
    'An agent that comes back from Quarantined or Suspended to Active is `Resume 13`.',
    '',
    ...OCSF_PROSE,
    ...fieldRows('ocsf'),
    '',
    ...CEF_PROSE,
    ...fieldRows('cef'),
    '',
    ...ECS_PROSE,
    ...fieldRows('ecs'),
    '',
    ...FEEDING,
    '## Examples',
    '',
    'JSON is indented here; it is exported on one line.',
    '',
    ...EXPORT_FORMATS.flatMap((format) =>
      EXAMPLES.filter((_row, at) => format === 'ocsf' || at % 2 === 0).flatMap(([name, event]) => [
        `### ${TITLES[format]}: ${name}`,
        '',
        ...exampleText(format, event),
        '',
      ]),
    ),
  ]
    .join('\n')
    .replace(/\n+$/, '\n')
}

const INTRO = [
  '# Audit events for a SIEM',
  '',
  '`sallyctl audit export` prints the events of the audit log in the words of others: one line for each event, oldest first. The same event always',
  'makes the same line, so what is exported twice can be told by its id. Made by `make generate` from `pkg/systems/audit/export` and by it.',
  '',
  ...table(
    ['format', 'version', 'id of the event', 'checked against'],
    [
      ['`ocsf`', SCHEMA_VERSIONS.ocsf, '`metadata.uid`', 'the published schema, nothing unknown or deprecated'],
      ['`cef`', SCHEMA_VERSIONS.cef, '`externalId`', 'a parser of somebody else'],
      ['`ecs`', SCHEMA_VERSIONS.ecs, '`event.id`', 'the published list of fields, their types and values'],
    ],
  ),
  '',
  'A line holds printable characters alone. Whatever else stands in the name of a tool or in what a person wrote is escaped: `\\u001b` in JSON, `\\u{1b}`',
  'in CEF; halves of surrogate pairs become U+FFFD in JSON. No payload is in it: no arguments, no text of a model, of a key its name. An event of a kind, action or',
  'state that this version does not know, and a line that is no event, are left out, counted on stderr, and make the status 1.',
  '',
  'Verdicts carry the ids of [taxonomy.md](taxonomy.md) for their first reason, and so do moves that the firewall made for a reason. A verdict and the',
  'moves that follow from it share `metadata.correlation_uid`.',
  '',
]

const OCSF_PROSE = [
  '## OCSF',
  '',
  '| event | class | why |',
  '|---|---|---|',
  '| verdict that found something | Detection Finding (2004), profiles `host` and `security_control` | a refusal, or what is on record, is for a person to look at; `attacks` has the techniques of ATLAS, `finding_info.tags` the other lists |',
  '| verdict that found nothing | API Activity (6003), activity Other with the direction as its name | a call that passed is no finding |',
  '| move of an agent | Entity Management (3004) | it has words for suspend, resume and activate, a comment, and both states of the entity; Account Change (3001) has none of them |',
  '| credential signed | Entity Management (3004), Create | the credential is the entity. Authentication (3002) would count as a logon that nobody made; Account Change knows passwords and factors only |',
  "| provider's key used | API Activity (6003), Read | `api.token` names the key |",
  '| key of the CA | Entity Management (3004) | as for agents |',
  '| a process opened the log | Application Lifecycle (6002), Start | |',
  '| a process found the log changed, or its head lost | Detection Finding (2004) | somebody may have written there; `LOG_CHANGED`, `LOG_HEAD_LOST` |',
  '',
  'The agent is `actor.user` with its SPIFFE ID as `uid` (`--trust-domain`), else its key `namespace/name`. The deciding policy is `policy`, its rule',
  '`firewall_rule`, the reason `status_code`. `status_id` of a finding is New: what becomes of it is the consumer’s. What has no place is in `unmapped`.',
  '',
]

const CEF_PROSE = [
  '## CEF',
  '',
  'The signature id is the first reason, else `VERDICT`, `MOVE`, `ISSUANCE`, `KEY_USE`, `CA`, `OPEN`, `LOG_CHANGED` or `LOG_HEAD_LOST`; the name is its meaning. A value that is longer than the',
  'dictionary of CEF allows for its key is cut and ends in `…`. Custom keys have the same label for the same kind, always.',
  '',
]

const ECS_PROSE = [
  '## ECS',
  '',
  '`agent.*` of ECS is the program that ships logs, so the agent is `user` (who acts) or `user.target` (who is acted upon), and `gen_ai.agent`. Refusals are',
  '`event.kind: alert` of the category `intrusion_detection`. Ids of the taxonomy are in `tags`, those of ATLAS also in `threat.technique`. What ECS has no',
  'field for is in `labels`, each a keyword.',
  '',
]

const FEEDING = [
  '## To a SIEM, today',
  '',
  'The export ends when the log does. A forwarder takes it from a pipe or a file:',
  '',
  '```sh',
  'sallyctl audit export --data DIR --format ocsf --since 1h | vector --config vector.toml        # source: stdin, codec: json',
  'sallyctl audit export --data DIR --format cef --since 1h | logger --server siem.example --port 514 --tcp --tag sallyport',
  'sallyctl audit export --data DIR --format ecs --since 1h > /var/log/sallyport/audit.ndjson     # read by Filebeat or Elastic Agent',
  '```',
  '',
  'Run it on a timer with a `--since` that overlaps, and drop what is there by the id of the event. It only reads, and does not need the process.',
  '',
  'Not there yet: a process that pushes by itself, by HTTPS webhook, syslog over TLS or OTLP, and keeps on the disk what a sink did not take.',
  '',
]
