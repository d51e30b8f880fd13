import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import postgres from 'libpg-query'
import type { SqlClass, SqlIntent, SqlReading } from '../ports.ts'
import { newPostgresGrammar, newSqlFollower, newSqlReader, readSql, type SqlJob } from './index.ts'
import { SPECIAL } from './special-statements.ts'
import { PARTS, STATEMENTS } from './statements.ts'
import { ACTS, HIDDEN, READS, UNPARSABLE } from './vectors.fixture.ts'

const grammar = newPostgresGrammar(postgres)
const read = (sql: string): SqlReading => readSql(sql, grammar)
const intentsOf = (sql: string): readonly SqlIntent[] => {
  const reading = read(sql)
  assert.ok(reading.ok, `${sql}: ${reading.detail}`)
  return reading.intents
}

before(() => postgres.loadModule())

describe('what a text does', () => {
  for (const { name, sql, intents } of ACTS)
    test(`[INTENT-SQL-01] ${name}`, () => assert.deepEqual(intentsOf(sql), intents))
  for (const { name, sql, intents } of HIDDEN)
    test(`[INTENT-SQL-02] ${name}`, () => assert.deepEqual(intentsOf(sql), intents))
  for (const sql of READS)
    test(`[INTENT-SQL-03] a read: ${JSON.stringify(sql)}`, () => assert.deepEqual(intentsOf(sql), ['sql.read']))
  for (const [name, sql] of UNPARSABLE) {
    test(`[INTENT-SQL-04] refused: ${name}`, () => {
      const reading = read(sql)
      assert.ok(!reading.ok, JSON.stringify(reading))
      assert.equal(reading.reason, 'INTENT_SQL_UNPARSABLE')
    })
  }
})

const SPACES = [' ', '\t', '\n', '\r', '\f', '\v', '/**/', ' -- a\n', '/* a /* b */ */', '  ']

/** The same text, with other white space and case outside of strings. */
function disguise(sql: string, spaceAt: readonly number[], upper: readonly boolean[]): string {
  if (/['"$`]|--|\/\*/.test(sql)) return sql
  return [...sql]
    .map((unit, at) => {
      if (unit === ' ') return SPACES[spaceAt[at % spaceAt.length] ?? 0] ?? ' '
      return upper[at % upper.length] === true ? unit.toUpperCase() : unit.toLowerCase()
    })
    .join('')
}

describe('disguises', () => {
  const someSpaces = fc.array(fc.nat(SPACES.length - 1), { minLength: 1, maxLength: 8 })
  const someCase = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })

  test('[INTENT-SQL-05] case, white space and comments change nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ACTS), someSpaces, someCase, ({ sql, intents }, spaces, upper) => {
        // a comment between two words could be read otherwise elsewhere: that may add, never remove
        for (const intent of intents) assert.ok(intentsOf(disguise(sql, spaces, upper)).includes(intent))
      }),
    )
  })

  test('[INTENT-SQL-05] no text around a statement makes it less', () => {
    // a read that prepares `q` gives a later `EXECUTE q` its own meaning
    const around = fc.constantFrom(...READS.filter((sql) => !/[;]\s*$|--|PREPARE/.test(sql)))
    fc.assert(
      fc.property(around, fc.constantFrom(...ACTS), around, (first, act, last) => {
        const reading = read(`${first}; ${act.sql}; ${last}`)
        // some strings, put together, are statements to another server: then nothing passes
        if (reading.ok) for (const intent of act.intents) assert.ok(reading.intents.includes(intent))
      }),
    )
  })
})

describe('tables', () => {
  const nodes = [
    ...readFileSync(new URL('../../../../node_modules/@pgsql/types/types.d.ts', import.meta.url), 'utf8').matchAll(
      /^export interface (\w+)/gm,
    ),
  ].map(([, name]) => name ?? '')

  test('[INTENT-SQL-06] every statement of the grammar has its row', () => {
    const statements = nodes.filter((name) => name.endsWith('Stmt') && name !== 'RawStmt')
    assert.ok(statements.length > 110, `${statements.length}`)
    for (const name of statements) assert.ok(STATEMENTS.has(name) || Object.hasOwn(SPECIAL, name), name)
  })

  test('[INTENT-SQL-06] no row is for a node that the grammar does not have', () => {
    for (const name of [...STATEMENTS.keys(), ...Object.keys(SPECIAL), ...PARTS]) assert.ok(nodes.includes(name), name)
  })

  test('[INTENT-SQL-06] a node that no table has counts as anything', () => {
    const tree = { stmts: [{ stmt: { SelectStmt: { targetList: [{ BrandNewStmt: {} }] } } }] }
    const reading = readSql('SELECT 1', { parse: () => ({ ok: true, tree }), parseProgram: () => null })
    assert.equal(reading.ok && reading.intents.length, 7)
  })
})

describe('PL/pgSQL', () => {
  const bodies = {
    declaration: 'DECLARE a int := lo_unlink(1); BEGIN END',
    'cursor declaration': 'DECLARE c CURSOR FOR SELECT lo_unlink(1); BEGIN END',
    'cursor argument': 'DECLARE c CURSOR (a int) FOR SELECT a; BEGIN OPEN c(lo_unlink(1)); END',
    perform: 'BEGIN PERFORM lo_unlink(1); END',
    assignment: 'DECLARE a int; BEGIN a := lo_unlink(1); END',
    'assignment to an element': 'DECLARE a int[]; BEGIN a[lo_unlink(1)] := 1; END',
    if: 'BEGIN IF lo_unlink(1) = 1 THEN NULL; END IF; END',
    elsif: 'BEGIN IF false THEN NULL; ELSIF lo_unlink(1) = 1 THEN NULL; END IF; END',
    else: 'BEGIN IF false THEN NULL; ELSE PERFORM lo_unlink(1); END IF; END',
    case: 'BEGIN CASE lo_unlink(1) WHEN 1 THEN NULL; END CASE; END',
    'case when': 'BEGIN CASE 1 WHEN lo_unlink(1) THEN NULL; END CASE; END',
    'case else': 'BEGIN CASE WHEN false THEN NULL; ELSE PERFORM lo_unlink(1); END CASE; END',
    while: 'BEGIN WHILE lo_unlink(1) = 1 LOOP NULL; END LOOP; END',
    loop: 'BEGIN LOOP PERFORM lo_unlink(1); EXIT; END LOOP; END',
    'for range': 'BEGIN FOR i IN 1..lo_unlink(1) LOOP NULL; END LOOP; END',
    'for step': 'BEGIN FOR i IN 1..2 BY lo_unlink(1) LOOP NULL; END LOOP; END',
    'for query': 'DECLARE r record; BEGIN FOR r IN SELECT lo_unlink(1) LOOP NULL; END LOOP; END',
    'for execute': "DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT lo_unlink(1)' LOOP NULL; END LOOP; END",
    'execute using': "BEGIN EXECUTE 'SELECT $1' USING lo_unlink(1); END",
    foreach: 'DECLARE a int; BEGIN FOREACH a IN ARRAY ARRAY[lo_unlink(1)] LOOP NULL; END LOOP; END',
    exit: 'BEGIN LOOP EXIT WHEN lo_unlink(1) = 1; END LOOP; END',
    raise: "BEGIN RAISE NOTICE '%', lo_unlink(1); END",
    'raise using': 'BEGIN RAISE EXCEPTION USING message = lo_unlink(1)::text; END',
    assert: 'BEGIN ASSERT lo_unlink(1) = 1; END',
    'select into': 'DECLARE a int; BEGIN SELECT lo_unlink(1) INTO a; END',
    'open for': 'DECLARE c refcursor; BEGIN OPEN c FOR SELECT lo_unlink(1); END',
    'open for execute': "DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE 'SELECT lo_unlink(1)'; END",
    fetch: 'DECLARE c refcursor; a int; BEGIN FETCH ABSOLUTE lo_unlink(1) FROM c INTO a; END',
    call: 'BEGIN CALL p(lo_unlink(1)); END',
    exception: 'BEGIN NULL; EXCEPTION WHEN others THEN PERFORM lo_unlink(1); END',
    'nested block': 'BEGIN BEGIN PERFORM lo_unlink(1); END; END',
    'default of a record': 'DECLARE r record; BEGIN r := ROW(lo_unlink(1)); END',
  }
  for (const [place, body] of Object.entries(bodies)) {
    // lo_import instead of lo_unlink: its fs.read tells it from the write that each DO is
    const named = body
      .replace('lo_unlink(1)', "lo_import('/x')")
      .replace(/'SELECT lo_import\('\/x'\)'/, "'SELECT lo_import(''/x'')'")
    test(`[INTENT-SQL-07] a function in a body is found: ${place}`, () => {
      assert.ok(intentsOf(`DO $body$ ${named} $body$`).includes('fs.read'), named)
      assert.deepEqual(
        intentsOf(`DO $body$ ${body} $body$`).filter((intent) => intent !== 'sql.read'),
        ['sql.write'],
        'and the body is read',
      )
    })
  }
})

describe('bare expressions', () => {
  const english = `hello world|end|commit|abort|begin|rollback|show me|show all|listen up|notify team|lock door|move north
    fetch data|close window|discard all|deallocate all|checkpoint|values (1)|table lamp|call mom()|execute plan|load 'x'
    set alarm to 7|set volume = 5|reset password|analyze sales|vacuum kitchen|cluster data|select all|select 3 items
    select size|SELECT 1|unlisten noise|savepoint here|release hostages`
  for (const text of english.split(/\||\n/).map((part) => part.trim())) {
    test(`[INTENT-SQL-08] English or a computation: ${text}`, () => {
      const reading = read(text)
      assert.ok(!reading.ok || reading.bareExpression, text)
    })
  }
  const statements = `drop table users|truncate users|delete from cart|update users set a = 1|insert into t values (1)
    select * from users|select name from users|select my_function(1)|select pg_sleep(1)|values (pg_sleep(1))|set role admin
    set session authorization admin|reset role|call purge_all()|call purge(1)|call app.purge()|execute purge(1)|grant admin to bob
    create user bob|lock table my_users in exclusive mode|vacuum full users|notify c, 'payload'|with a as (select 1) select 1
    select (select 1 from users)|do 'begin end'|explain select 1|copy users to stdout|end; drop table users|commit prepared 'x'
    set app.tenant = 7|select 1 into backup|table app.users`
  for (const text of statements.split(/\||\n/).map((part) => part.trim())) {
    test(`[INTENT-SQL-08] a statement: ${text}`, () => {
      const reading = read(text)
      assert.ok(reading.ok && !reading.bareExpression, JSON.stringify(reading))
    })
  }
})

/** Every class that a follower says of a text that comes in these pieces. */
function follow(pieces: readonly string[]): readonly SqlClass[] {
  const follower = newSqlFollower()
  const said: SqlClass[] = []
  for (const piece of pieces)
    for (let next = follower.push(piece); next !== null; next = follower.push('')) said.push(next)
  return said
}

describe('following', () => {
  const rows: readonly (readonly [string, readonly (readonly [SqlClass['intent'], number])[]])[] = [
    ['DROP TABLE t', [['sql.ddl', 4]]],
    ['drop', []],
    ['DROP/**/TABLE', [['sql.ddl', 4]]],
    ['DROPS ', []],
    ['DROP$ ', []],
    ['DROPé ', []],
    [' \n-- x\n/* a /* b */ */DELETE FROM t', [['sql.write', 28]]],
    [
      'SELECT 1; DROP TABLE t',
      [
        ['sql.read', 6],
        ['sql.ddl', 14],
      ],
    ],
    ["SELECT '; DROP TABLE t'", [['sql.read', 6]]],
    ["SELECT E'\\'; DROP TABLE t'", [['sql.read', 6]]],
    ["SELECT E'a'\n'\\'; DROP TABLE t'", [['sql.read', 6]]],
    [
      "SELECT '\\'; DROP TABLE t",
      [
        ['sql.read', 6],
        ['sql.ddl', 16],
      ],
    ],
    ['SELECT "; DROP "', [['sql.read', 6]]],
    [
      'SELECT $$; DROP $$; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 24],
      ],
    ],
    [
      'SELECT $a$; DROP $$; DROP $a$; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 35],
      ],
    ],
    [
      'SELECT $1; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 15],
      ],
    ],
    [
      'SELECT $a; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 15],
      ],
    ],
    [
      'SELECT a$$; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 16],
      ],
    ],
    [
      'SELECT $a$ $b$a$; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 22],
      ],
    ],
    ["SELECT $a$ $b$ ab$ '$a $a; DROP ", [['sql.read', 6]]],
    [
      'SELECT 1 -- ; DROP \n; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 26],
      ],
    ],
    [
      'SELECT 1 /* ; DROP */; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 27],
      ],
    ],
    [
      'SELECT 1 - 1 / 2; DROP ',
      [
        ['sql.read', 6],
        ['sql.ddl', 22],
      ],
    ],
    ['WITH a AS (DELETE FROM t) SELECT 1', []],
    ['EXPLAIN DELETE FROM t', []],
    ['(SELECT 1)', []],
    ['COPY t FROM STDIN', []],
    [';;; TRUNCATE t', [['sql.ddl', 12]]],
    ['Please drop it', []],
  ]
  for (const [sql, expected] of rows) {
    test(`[INTENT-SQL-09] ${JSON.stringify(sql)} whole, unit by unit, at every split`, () => {
      const seen = (pieces: readonly string[]) => follow(pieces).map(({ intent, at }) => [intent, at])
      assert.deepEqual(seen([sql]), expected)
      assert.deepEqual(seen(sql.split('')), expected)
      for (let at = 0; at <= sql.length; at++) assert.deepEqual(seen([sql.slice(0, at), sql.slice(at)]), expected)
    })
  }

  test('[INTENT-SQL-09] a class is said with the unit that fixes it, not later', () => {
    const follower = newSqlFollower()
    for (const unit of 'SELECT 1;DROP') follower.push(unit)
    assert.deepEqual(follower.push(' '), { intent: 'sql.ddl', at: 13, detail: 'DROP (statement 2)' })
  })

  test('[INTENT-SQL-10] what is said while a text streams is what the grammar says of the whole', () => {
    for (const sql of [...ACTS.map((vector) => vector.sql), ...READS]) {
      const intents = intentsOf(sql)
      for (const said of follow([sql])) assert.ok(intents.includes(said.intent), `${sql}: ${said.intent}`)
    }
  })

  test('[INTENT-SQL-10] the same for any tokens that make statements', () => {
    const token = fc.constantFrom(
      ...`select insert into delete from update set values ( ) ; , * 1 'a' "b" $$ ; drop $$ t table drop create function f
      as with explain analyze -- /* */ E'\\'' begin atomic end call do truncate a b = return`.split(/\s+/),
      '\n',
    )
    let parsed = 0
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const sql = tokens.join(' ')
        const reading = read(sql)
        if (!reading.ok) return
        parsed++
        for (const said of follow(sql.split('')))
          assert.ok(reading.intents.includes(said.intent), `${sql}: ${said.intent}`)
      }),
      { numRuns: 3_000 },
    )
    assert.ok(parsed > 20, `${parsed} parsed`)
  })

  test('[INTENT-SQL-09] any text in any cut says the same', () => {
    const text = fc.array(
      fc.constantFrom(...`' " $ a$ $a$ \\ - -- / /* * */ ; drop select E' \n a é 1 # [ ] \``.split(' '), ' '),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(text, fc.array(fc.nat(5)), (parts, cuts) => {
        const sql = parts.join('')
        const pieces: string[] = []
        let from = 0
        for (const cut of cuts) {
          pieces.push(sql.slice(from, from + cut))
          from += cut
        }
        pieces.push(sql.slice(from))
        assert.deepEqual(follow(pieces), follow([sql]))
      }),
      { numRuns: 500 },
    )
  })
})

describe('detail', () => {
  test('[INTENT-SQL-11] it names kinds of statements and functions, nothing of the text', () => {
    const secret = 'canary7'
    const texts = [
      `DROP TABLE ${secret}`,
      `SELECT lo_export(1, '${secret}') FROM ${secret}`,
      `SELECT query_to_xml('drop table ${secret}', true, true, '')`,
      `SELECT 1 ${secret} ${secret}`,
      `SET ${secret} = '${secret}'`,
      `EXECUTE ${secret}`,
      `DO LANGUAGE ${secret} '${secret}'`,
      `CALL ${secret}('${secret}')`,
      `SELECT '\\''; DROP TABLE ${secret}; -- '`,
    ]
    for (const sql of texts) assert.ok(!JSON.stringify(read(sql)).includes(secret), sql)
    for (const said of follow([`DROP TABLE ${secret}`])) assert.ok(!said.detail.includes(secret))
    const reading = read('SELECT 1; DROP TABLE t; SELECT lo_unlink(1)')
    assert.equal(reading.detail, 'DROP (statement 2), calls lo_unlink() (statement 3); 3 statements')
  })
})

describe('the reader', () => {
  const limits = { sqlBytes: 32, sqlInlineBytes: 16 }
  const answering = (answer: Awaited<ReturnType<Parameters<typeof newSqlReader>[0]['run']>>) => {
    const jobs: SqlJob[] = []
    const reader = newSqlReader(
      {
        run: async (job) => {
          jobs.push(job)
          return answer
        },
      },
      limits,
    )
    return { reader, jobs }
  }
  const value: SqlReading = { ok: true, intents: ['sql.read'], statements: 1, bareExpression: true, detail: 'x' }

  test('[INTENT-SQL-12] a text at the limit is read, one byte more is refused and reaches no worker', async () => {
    const { reader, jobs } = answering({ ok: true, value })
    const text = `SELECT '${'é'.repeat(11)}'`
    assert.equal(Buffer.byteLength(text), 31)
    assert.deepEqual(await reader.read(`${text} `), value)
    const refused = await reader.read(`${text}  `)
    assert.equal(!refused.ok && refused.reason, 'INTENT_SQL_TOO_LARGE')
    assert.match(refused.detail, /32 bytes/)
    assert.equal(jobs.length, 1)
  })

  for (const [why, reason] of [
    ['timeout', 'CHECK_TIMEOUT'],
    ['overloaded', 'CHECK_TIMEOUT'],
    ['failed', 'CHECK_FAILED'],
    ['closed', 'CHECK_FAILED'],
  ] as const) {
    test(`[INTENT-SQL-12] a worker that answers ${why} is ${reason}`, async () => {
      const reading = await answering({ ok: false, why }).reader.read('SELECT 1')
      assert.equal(!reading.ok && reading.reason, reason)
    })
  }

  test('[INTENT-SQL-12] a small text is read here once the grammar is loaded, one byte more in the worker', async () => {
    const jobs: SqlJob[] = []
    const workers = {
      run: async (job: SqlJob) => {
        jobs.push(job)
        return { ok: true, value } as const
      },
    }
    let loaded = false
    const here: SqlReading = { ...value, detail: 'here' }
    const reader = newSqlReader(workers, limits, () => (loaded ? () => here : null))
    const small = "SELECT '123456'\n"
    assert.equal(small.length, 16)
    assert.deepEqual(await reader.read(small), value)
    loaded = true
    const other = "SELECT '123457'\n"
    assert.deepEqual(await reader.read(other), here)
    assert.deepEqual(await reader.read(`${small} `), value)
    assert.equal(jobs.length, 2)
  })

  test('[INTENT-SQL-12] a grammar that throws here is not asked again: the worker reads', async () => {
    let asked = 0
    const workers = { run: async () => ({ ok: true, value }) as const }
    const reader = newSqlReader(workers, limits, () => () => {
      asked += 1
      throw new RangeError('stack')
    })
    assert.deepEqual(await reader.read('SELECT 1'), value)
    assert.deepEqual(await reader.read('SELECT 2'), value)
    assert.equal(asked, 1)
  })

  test('[INTENT-SQL-17] what was read is known, to the last unit; what could not be judged is not', async () => {
    const asked: string[] = []
    let fails = true
    const workers = {
      run: async ({ text }: SqlJob) => {
        asked.push(text)
        return fails ? ({ ok: false, why: 'timeout' } as const) : ({ ok: true, value } as const)
      },
    }
    const reader = newSqlReader(workers, { sqlBytes: 4096, sqlInlineBytes: 0 })
    const first = await reader.read('SELECT 1')
    assert.equal(!first.ok && first.reason, 'CHECK_TIMEOUT')
    fails = false
    for (const text of ['SELECT 1', 'SELECT 1', 'SELECT 1 ', 'select 1', 'SELECT 1']) await reader.read(text)
    assert.deepEqual(asked, ['SELECT 1', 'SELECT 1', 'SELECT 1 ', 'select 1'])
  })

  test('[INTENT-SQL-17] 256 texts are known; the one longest unused goes', async () => {
    let asked = 0
    const workers = {
      run: async () => {
        asked += 1
        return { ok: true, value } as const
      },
    }
    const reader = newSqlReader(workers, { sqlBytes: 4096, sqlInlineBytes: 0 })
    for (let at = 0; at < 256; at++) await reader.read(`SELECT ${at}`)
    await reader.read('SELECT 0')
    assert.equal(asked, 256)
    await reader.read('SELECT 256')
    await reader.read('SELECT 0')
    assert.equal(asked, 257)
    await reader.read('SELECT 1')
    assert.equal(asked, 258)
  })
})
