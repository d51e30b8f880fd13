import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '#pkg/model'
import {
  bytes,
  duration,
  faultLines,
  flag,
  namedUrls,
  port,
  readSettings,
  type SettingsSources,
  settingsError,
  text,
  type UpSettings,
  upSettings,
  url,
} from './index.ts'

function up(sources: Partial<SettingsSources>, otherEnv: readonly string[] = []) {
  return readSettings(upSettings, { flags: {}, env: { HOME: '/home/ada' }, ...sources }, { otherEnv })
}

function valuesOf(sources: Partial<SettingsSources>): UpSettings {
  const reading = up(sources)
  assert.ok(reading.ok, inspect(reading))
  return reading.values
}

/** `CODE where` of each fault. */
function faultsOf(sources: Partial<SettingsSources>): readonly string[] {
  const reading = up(sources)
  return reading.ok ? [] : reading.faults.map((fault) => `${fault.code} ${fault.where}`)
}

const PROVIDERS = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  gemini: 'https://generativelanguage.googleapis.com',
}

test('[SET-05] without anything said, up has the documented defaults', () => {
  assert.deepEqual(valuesOf({}), {
    policies: null,
    dataDir: '/home/ada/.local/share/sallyport',
    port: 16_080,
    adminPort: 17_446,
    upstreams: PROVIDERS,
    mcp: {},
    a2a: {},
    a2aServer: {},
    trustDomain: 'sallyport.local',
    workloadSockets: {},
    upstreamHttp2: false,
    simulate: false,
    egressAddresses: {},
    output: 'text',
    limits: DEFAULT_LIMITS,
    logLevel: 'info',
    openaiKey: null,
    openaiCompatibleKey: null,
    anthropicKey: null,
    geminiKey: null,
  })
})

test('[SET-05] the data folder follows XDG_DATA_HOME if that is absolute', () => {
  assert.equal(valuesOf({ env: { HOME: '/home/ada', XDG_DATA_HOME: '/srv/data' } }).dataDir, '/srv/data/sallyport')
  assert.equal(
    valuesOf({ env: { HOME: '/home/ada', XDG_DATA_HOME: 'data' } }).dataDir,
    '/home/ada/.local/share/sallyport',
  )
})

test('[SET-06] flags go before environment before file before default', () => {
  const file = { name: 'up.yaml', values: { port: 3, 'admin-port': 30, 'log-level': 'warn' } }
  const env = { SALLYPORT_PORT: '2', SALLYPORT_ADMIN_PORT: '20', HOME: '/home/ada' }
  const values = valuesOf({ flags: { port: '1' }, env, file })
  assert.deepEqual([values.port, values.adminPort, values.logLevel, values.output], [1, 20, 'warn', 'text'])
})

test('[SET-06] an empty variable is none; a flag is known with or without camel case', () => {
  assert.equal(valuesOf({ flags: { adminPort: '0' }, env: { SALLYPORT_PORT: '' } }).adminPort, 0)
})

const refused: readonly {
  readonly name: string
  readonly sources: Partial<SettingsSources>
  readonly faults: readonly string[]
}[] = [
  { name: 'a misspelt flag', sources: { flags: { prot: '1' } }, faults: ['UNKNOWN --prot'] },
  { name: 'a misspelt variable', sources: { env: { SALLYPORT_PROT: '1' } }, faults: ['UNKNOWN SALLYPORT_PROT'] },
  {
    name: 'a misspelt key of the file',
    sources: { file: { name: 'f', values: { prot: 1 } } },
    faults: ['UNKNOWN f: prot'],
  },
  { name: 'a port too large', sources: { flags: { port: '65536' } }, faults: ['INVALID --port'] },
  {
    name: 'a port that is no number',
    sources: { env: { SALLYPORT_PORT: 'tcp://10.0.0.1:80' } },
    faults: ['INVALID SALLYPORT_PORT'],
  },
  {
    name: 'a fault under a stronger source',
    sources: { flags: { port: '1' }, env: { SALLYPORT_PORT: 'x' } },
    faults: ['INVALID SALLYPORT_PORT'],
  },
  { name: 'a single value given twice', sources: { flags: { port: ['1', '2'] } }, faults: ['REPEATED --port'] },
  {
    name: 'a socket of an agent without its namespace',
    sources: { flags: { workloadSocket: ['nosuch=/tmp/x.sock'] } },
    faults: ['INVALID --workload-socket'],
  },
  {
    name: 'a socket of what no agent can be called',
    sources: { flags: { workloadSocket: ['Growth/marketing=/tmp/x.sock'] } },
    faults: ['INVALID --workload-socket'],
  },
  { name: 'an empty folder', sources: { flags: { policies: '' } }, faults: ['INVALID --policies'] },
  { name: 'an unknown output', sources: { flags: { output: 'yaml' } }, faults: ['INVALID --output'] },
  {
    name: 'an unknown upstream',
    sources: { flags: { upstream: ['opnai=https://h/v1'] } },
    faults: ['INVALID --upstream'],
  },
  {
    name: 'an upstream twice',
    sources: { flags: { upstream: ['openai=https://h/v1', 'openai=https://i/v1'] } },
    faults: ['INVALID --upstream'],
  },
  {
    name: 'an upstream without name',
    sources: { flags: { upstream: ['https://h/v1'] } },
    faults: ['INVALID --upstream'],
  },
  {
    name: 'an upstream that is no URL',
    sources: { flags: { upstream: ['openai=h/v1'] } },
    faults: ['INVALID --upstream'],
  },
  {
    name: 'an upstream of another scheme',
    sources: { flags: { upstream: ['openai=file:///etc/passwd'] } },
    faults: ['INVALID --upstream'],
  },
  {
    name: 'an upstream with a query',
    sources: { flags: { upstream: ['openai=https://h/v1?x=1'] } },
    faults: ['INVALID --upstream'],
  },
  { name: 'an unknown limit', sources: { flags: { limit: ['sqlByte=1'] } }, faults: ['INVALID --limit'] },
  { name: 'a limit of zero', sources: { flags: { limit: ['jsonDepth=0'] } }, faults: ['INVALID --limit'] },
  {
    name: 'a limit of the wrong unit',
    sources: { flags: { limit: ['checkTimeoutMs=1MiB'] } },
    faults: ['INVALID --limit'],
  },
  {
    name: 'a limit named as a member of every object',
    sources: { flags: { limit: ['constructor=1'] } },
    faults: ['INVALID --limit'],
  },
  {
    name: 'a key with a line break',
    sources: { env: { OPENAI_API_KEY: 'sk-\n1' } },
    faults: ['INVALID OPENAI_API_KEY'],
  },
  {
    name: 'a list where a text should be',
    sources: { file: { name: 'f', values: { port: { a: 1 } } } },
    faults: ['INVALID f: port'],
  },
  {
    name: 'several at once',
    sources: { flags: { prot: '1', port: 'x', limit: ['x=1'] }, env: { SALLYPORT_LOG_LEVEL: 'loud' } },
    faults: ['UNKNOWN --prot', 'INVALID --port', 'INVALID --limit', 'INVALID SALLYPORT_LOG_LEVEL'],
  },
]

for (const row of refused)
  test(`[SET-07] refused, all faults at once: ${row.name}`, () => assert.deepEqual(faultsOf(row.sources), row.faults))

test('[SET-07] an unknown name says which known one it resembles', () => {
  const reading = up({ flags: { 'admn-port': '1', limit: ['sql-bytes=1'] }, env: { SALLYPORT_UPSTREAMS: 'x' } })
  assert.ok(!reading.ok)
  const lines = faultLines(reading.faults).join('\n')
  for (const near of ['--admin-port?', 'sqlBytes?', 'SALLYPORT_UPSTREAM?'])
    assert.ok(lines.includes(`did you mean ${near}`), lines)
  assert.equal(settingsError(reading.faults).code, 'SETTINGS_INVALID')
})

test('[SET-07] variables of other parts, and those that Kubernetes makes for a service, are no faults', () => {
  const env = {
    SALLYPORT_ADMIN_TOKEN: 'x',
    SALLYPORT_SERVICE_HOST: '10.0.0.1',
    SALLYPORT_OPERATOR_SERVICE_PORT_GRPC: '17443',
    SALLYPORT_OPERATOR_PORT_17443_TCP_ADDR: '10.0.0.1',
  }
  assert.equal(up({ env }, ['SALLYPORT_ADMIN_TOKEN']).ok, true)
  assert.deepEqual(faultsOf({ env }), ['UNKNOWN SALLYPORT_ADMIN_TOKEN'])
})

test('[SET-08] upstreams and limits are laid over their defaults, by flag or by variable', () => {
  const values = valuesOf({
    flags: {
      upstream: ['openai=http://127.0.0.1:9/v1/'],
      limit: ['argumentBytes=128KiB', 'checkTimeoutMs=1s', 'jsonDepth=3'],
    },
  })
  assert.deepEqual(values.upstreams, { ...PROVIDERS, openai: 'http://127.0.0.1:9/v1' })
  assert.deepEqual(values.limits, { ...DEFAULT_LIMITS, argumentBytes: 131_072, checkTimeoutMs: 1_000, jsonDepth: 3 })
  const fromEnv = valuesOf({ env: { SALLYPORT_LIMIT: 'jsonDepth=3, decodedRatio=9' } })
  assert.deepEqual([fromEnv.limits.jsonDepth, fromEnv.limits.decodedRatio], [3, 9])
})

test('[SET-08] every limit of the path can be set, in its own unit', () => {
  for (const name of Object.keys(DEFAULT_LIMITS)) {
    const unit = name.endsWith('Ms') ? '7ms' : name.includes('Bytes') || name.endsWith('bytes') ? '7KiB' : '7'
    assert.deepEqual(faultsOf({ flags: { limit: [`${name}=${unit}`] } }), [], name)
  }
})

test('[SET-09] a key is a secret from the first line on, and no fault prints one, nor the password of a URL', () => {
  const values = valuesOf({ env: { OPENAI_API_KEY: 'sk-live-1234' } })
  assert.equal(values.openaiKey?.reveal(), 'sk-live-1234')
  assert.ok(!inspect(values).includes('1234') && !JSON.stringify(values).includes('1234'))
  for (const sources of [
    { env: { OPENAI_API_KEY: 'sk-live 1234' } },
    { flags: { upstream: ['openai=https://ada:1234@h/v1'] } },
    { flags: { upstream: ['https://ada:1234@h/v1'] } },
  ]) {
    const reading = up(sources)
    assert.ok(!reading.ok && !faultLines(reading.faults).join().includes('1234'))
  }
})

test('[SET-10] each kind takes what it says and nothing else', () => {
  const spec = {
    wait: duration({ flag: 'wait', default: 1, doc: '' }),
    size: bytes({ flag: 'size', default: 1, doc: '' }),
    quiet: flag({ flag: 'quiet', default: false, doc: '' }),
    where: url({ flag: 'where', default: null, doc: '' }),
    port: port({ flag: 'port', default: 1, doc: '' }),
    name: text<string | null>({ flag: 'name', default: null, doc: '' }),
    peers: namedUrls({ flag: 'peer', default: {}, doc: '' }),
  }
  const read = (name: string, given: string | boolean): unknown => {
    const reading = readSettings(spec, { flags: { [name]: given }, env: {} })
    return reading.ok
      ? Object.entries(reading.values).find(([key]) => spec[key as keyof typeof spec].flag === name)?.[1]
      : 'refused'
  }
  const table: readonly (readonly [string, string | boolean, unknown])[] = [
    ['wait', '50', 50],
    ['wait', '10s', 10_000],
    ['wait', '5m', 300_000],
    ['wait', '1h', 3_600_000],
    ['wait', '0', 'refused'],
    ['wait', '-1', 'refused'],
    ['wait', '1.5s', 'refused'],
    ['wait', '1d', 'refused'],
    ['wait', '', 'refused'],
    ['size', '1KiB', 1_024],
    ['size', '2GiB', 2 ** 31],
    ['size', '1KB', 'refused'],
    ['size', '0', 'refused'],
    ['size', '9999999999999999', 'refused'],
    ['quiet', true, true],
    ['quiet', 'no', false],
    ['quiet', 'maybe', 'refused'],
    ['where', 'https://h/v1//', 'https://h/v1'],
    ['where', 'h', 'refused'],
    ['where', 'https://u@h', 'refused'],
    ['port', '0', 0],
    ['port', '65535', 65_535],
    ['port', '1e3', 'refused'],
    ['port', ' 1', 'refused'],
    ['port', '', 'refused'],
    ['name', 'x', 'x'],
    ['name', '', 'refused'],
  ]
  for (const [name, given, expected] of table) assert.deepEqual(read(name, given), expected, `${name} ${given}`)
  assert.deepEqual(read('peer', 'a=https://a'), { a: 'https://a' })
})

test('[SET-07] whatever is given, reading never throws and never lets an unknown name pass', () => {
  const anything = fc.oneof(fc.string(), fc.boolean(), fc.array(fc.string()), fc.constant(undefined))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), anything), fc.dictionary(fc.string(), fc.string()), (flags, env) => {
      const reading = readSettings(upSettings, { flags, env })
      if (!reading.ok) return
      const known = Object.values(upSettings).map((row) => row.flag)
      for (const [name, value] of Object.entries(flags)) assert.ok(value === undefined || known.includes(name))
    }),
  )
})

test('[SET-02] --mcp takes any name of a server, and its address as it is', () => {
  const mcp = (...texts: string[]): unknown => valuesOf({ flags: { mcp: texts } })
  assert.deepEqual((mcp('warehouse=https://w.example/mcp/', 'a.b-c=http://127.0.0.1:1/x') as { mcp: unknown }).mcp, {
    warehouse: 'https://w.example/mcp/',
    'a.b-c': 'http://127.0.0.1:1/x',
  })
  for (const wrong of ['warehouse', '=https://a.example', '../x=https://a.example', 'a=ftp://x', 'a=https://x/?q=1'])
    assert.throws(() => mcp(wrong), wrong)
})

test('[SET-02] --a2a takes any name of a peer, and its address as it is', () => {
  const { a2a } = valuesOf({ flags: { a2a: ['research=http://127.0.0.1:1/a2a/'] } }) as { a2a: unknown }
  assert.deepEqual(a2a, { research: 'http://127.0.0.1:1/a2a/' })
})
