import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Reason } from '#pkg/model'
import {
  elementSpans,
  newJsonScanner,
  parseStrict,
  parseStrictBytes,
  parseStrictChunked,
  readBody,
  valueSpan,
} from './index.ts'
import { cuttings, hear, judge, LIMITS, PROFILES, stringsOf } from './judge.fixture.ts'

type Row = readonly [name: string, text: string, verdict: string]

/** Rows that say the same in each profile. */
function everywhere(rows: readonly Row[]): void {
  for (const [name, text, verdict] of rows) {
    it(name, () => {
      for (const profile of PROFILES) assert.equal(judge(text, profile), verdict, profile)
    })
  }
}

describe('[JSON-01] strict JSON', () => {
  everywhere([
    ['an object', '{"a":1}', 'ok'],
    ['an empty object', ' {\r\n\t} ', 'ok'],
    ['an empty array', '[ ]', 'ok'],
    ['all kinds of values', '{"a":[1,-2.5,1e3,0.1E-2,true,false,null,"x",{},[]],"b":{"a":{"a":""}}}', 'ok'],
    ['a string', '"a"', 'ok'],
    ['a number', '12', 'ok'],
    ['a number in space', ' 12 ', 'ok'],
    ['a word', 'null', 'ok'],
    ['all escapes', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"', 'ok'],
    ['characters of all lengths', '{"é€😀":"é€😀\u2028"}', 'ok'],
    ['the same key in two objects', '[{"a":1},{"a":{"a":1}}]', 'ok'],
    ['the biggest whole number', '[9007199254740991,-9007199254740991]', 'ok'],
    ['zero', '[0,0.0,0e5]', 'ok'],
  ])
})

describe('[JSON-02] what is not JSON', () => {
  const bad = (at: number): string => `WIRE_INVALID_JSON @${at}`
  everywhere([
    ['nothing', '', bad(0)],
    ['only space', '  ', bad(2)],
    ['a comment', '{/* */}', bad(1)],
    ['a comment behind the value', '{} // x', bad(3)],
    ['a trailing comma in an object', '{"a":1,}', bad(7)],
    ['a trailing comma in an array', '[1,]', bad(3)],
    ['a missing comma', '[1 2]', bad(3)],
    ['a missing colon', '{"a" 1}', bad(5)],
    ['a missing value', '{"a":}', bad(5)],
    ['two values', '{}{}', bad(2)],
    ['a wrong bracket', '{"a":1]', bad(6)],
    ['a bracket too many', '[]]', bad(2)],
    ['NaN', '[NaN]', bad(1)],
    ['Infinity', '-Infinity', bad(1)],
    ['undefined', '{"a":undefined}', bad(5)],
    ['True', 'True', bad(0)],
    ['a word too long', '[nulll]', bad(5)],
    ['a word cut off', '[nul]', bad(4)],
    ['single quotes', "{'a':1}", bad(1)],
    ['a key without quotes', '{a:1}', bad(1)],
    ['a byte order mark', '\ufeff{}', bad(0)],
    ['an odd space', '\u00a0{}', bad(0)],
    ['a vertical tab', '[\v1]', bad(1)],
    ['a line end in a string', '"a\nb"', bad(2)],
    ['NUL in a string', '"\0"', bad(1)],
    ['an escape that does not exist', '"\\x41"', bad(2)],
    ['too few hexadecimal digits', '"\\u12"', bad(5)],
    ['a leading zero', '[01]', bad(2)],
    ['a plus', '[+1]', bad(1)],
    ['a point without digits', '[1.]', bad(3)],
    ['a point first', '[.5]', bad(1)],
    ['hexadecimal', '[0x1]', bad(2)],
    ['an exponent without digits', '1e', bad(2)],
    ['a minus alone', '-', bad(1)],
    ['no end', '{"a":[1,"x', bad(10)],
    ['offsets in bytes', '"é€😀",', bad(11)],
  ])
})

/** Rows with the verdict of each profile: arguments, chunk, envelope. */
function differs(rows: readonly (readonly [string, string, string, string, string])[]): void {
  for (const [name, text, ...verdicts] of rows) {
    it(name, () => {
      assert.deepEqual(
        PROFILES.map((profile) => judge(text, profile)),
        verdicts,
      )
    })
  }
}

const at = (reason: Reason, offset: number): string => `${reason} @${offset}`
const same = (name: string, text: string, verdict: string): readonly [string, string, string, string, string] => [
  name,
  text,
  verdict,
  verdict,
  verdict,
]

describe('[JSON-03] one key twice', () => {
  const twice = (offset: number): string => at('WIRE_DUPLICATE_KEY', offset)
  const many = Array.from({ length: 80 }, (_, i) => `"k${i}":0`).join()
  differs([
    same('exactly', '{"a":1,"a":1}', twice(9)),
    same('with others between', '{"a":1,"b":{"a":1},"c":[],"a":1}', twice(28)),
    same('hidden by an escape', '{"name":1,"\\u006eame":1}', twice(20)),
    same('hidden by a short escape', '{"a/b":1,"a\\/b":1}', twice(14)),
    same('not ASCII', '{"é":1,"é":1}', twice(11)),
    same('among many', `{${many},"k3":0}`, twice(many.length + 5)),
    same('empty', '{"":1,"":1}', twice(7)),
    ['but for case', '{"amount":1,"Amount":1}', twice(19), twice(19), 'ok'],
    ['but for Unicode form', '{"é":1,"e\u0301":1}', twice(12), twice(12), 'ok'],
    ['but for full case folding', '{"straße":1,"STRASSE":1}', twice(21), twice(21), 'ok'],
    ['only almost', '{"a_":1,"a\u007f":1}', at('WIRE_INVISIBLE_TEXT', 11), 'ok', 'ok'],
  ])
})

describe('[JSON-04] keys that rewrite prototypes', () => {
  const no = (offset: number): string => at('WIRE_KEY_FORBIDDEN', offset)
  differs([
    same('__proto__', '{"__proto__":{}}', no(11)),
    same('__proto__ in an escape', '{"__pr\\u006fto__":{}}', no(16)),
    same('__proto__ as a value', '{"a":"__proto__"}', 'ok'),
    ['constructor', '[{"constructor":1}]', no(14), 'ok', 'ok'],
    ['prototype', '{"prototype":1}', no(11), 'ok', 'ok'],
  ])
})

describe('[JSON-05] depth', () => {
  everywhere([
    ['at the limit', `${'['.repeat(8)}${']'.repeat(8)}`, 'ok'],
    ['one over', `${'['.repeat(9)}${']'.repeat(9)}`, 'WIRE_DEPTH @8'],
    ['objects count as well', '{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":[', 'WIRE_DEPTH @40'],
    ['siblings do not', `[${'[[]],'.repeat(20)}1]`, 'ok'],
  ])

  it('ten million brackets are refused at the first too many', () => {
    const started = performance.now()
    const reading = parseStrict('['.repeat(10_000_000), { depth: 64, bytes: Number.POSITIVE_INFINITY })
    assert.equal(reading.ok ? '' : at(reading.reason, reading.at), 'WIRE_DEPTH @64')
    assert.ok(performance.now() - started < 10_000)
  })
})

describe('[JSON-06] numbers', () => {
  const no = (offset: number): string => at('WIRE_NUMBER_RANGE', offset)
  differs([
    same('not finite', '[1e400]', no(6)),
    same('not finite, at the end', '-1E+309', no(7)),
    same('not finite without an exponent', `[${'9'.repeat(310)}]`, no(311)),
    same('more than 400 characters', `[0.${'0'.repeat(400)}]`, no(401)),
    ['beyond 2^53 - 1', '[9007199254740992]', no(17), 'ok', 'ok'],
    ['beyond -(2^53 - 1)', '[-9007199254740993]', no(18), 'ok', 'ok'],
    ['beyond it with an exponent', '[1e16]', no(5), 'ok', 'ok'],
    ['negative zero', '[-0]', no(3), 'ok', 'ok'],
    ['negative zero with digits', '[-0.0e1]', no(7), 'ok', 'ok'],
    ['rounds to zero', '[1e-400]', no(7), 'ok', 'ok'],
    same('small', '[5e-324]', 'ok'),
    same('many digits', '[3.14159265358979323846]', 'ok'),
  ])
})

describe('[JSON-07] characters', () => {
  const no = (offset: number): string => at('WIRE_INVALID_UTF8', offset)
  differs([
    same('a pair in escapes', '["\\uD83D\\uDE00"]', 'ok'),
    same('a first half in the middle', '["a\\ud83db"]', no(9)),
    same('a first half before another escape', '["\\ud83d\\n"]', no(9)),
    same('a first half before an escaped letter', '["\\ud83d\\u0041"]', no(13)),
    same('two first halves', '["\\ud83d\\ud83d"]', no(13)),
    same('a second half in the middle', '["a\\ude00b"]', no(8)),
    same('a raw first half', '["\ud83d"]', no(4)),
    same('a raw second half', '["\ude00"]', no(2)),
    same('half raw, half escaped', '["\ud83d\\ude00"]', no(4)),
    same('half a pair in a key', '{"\\ud83d":1}', no(8)),
    ['a first half at the border of a value', '["a\\ud83d"]', no(9), 'ok', no(9)],
    ['a second half at the border of a value', '["\\ude00a"]', no(7), 'ok', no(7)],
  ])

  const bytes: readonly (readonly [string, readonly number[], number])[] = [
    ['a byte that begins nothing', [0xff], 3],
    ['a character cut short', [0xe2, 0x82], 3],
    ['an overlong character', [0xc0, 0xaf], 3],
    ['half a pair', [0xed, 0xa0, 0x80], 3],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80], 3],
    ['behind a good one', [0xc3, 0xa9, 0x80], 5],
  ]
  for (const [name, middle, offset] of bytes) {
    it(`bytes: ${name}`, async () => {
      const body = Uint8Array.of(...Buffer.from('["a'), ...middle, ...Buffer.from('"]'))
      const reading = parseStrictBytes(body, LIMITS)
      assert.equal(reading.ok ? 'ok' : at(reading.reason, reading.at), no(offset))
      for (const turn of [1, 5, 100])
        assert.deepEqual(
          await parseStrictChunked(body, LIMITS, { turnBytes: turn, yieldTurn: async () => {} }),
          reading,
        )
    })
  }

  it('bytes: UTF-16 is refused', () => {
    const reading = parseStrictBytes(Buffer.from('\ufeff{"a":1}', 'utf16le'), LIMITS)
    assert.equal(reading.ok ? 'ok' : reading.reason, 'WIRE_INVALID_UTF8')
  })

  it('bytes: a byte order mark is refused', () => {
    const reading = parseStrictBytes(Buffer.from('\ufeff{}'), LIMITS)
    assert.equal(reading.ok ? 'ok' : at(reading.reason, reading.at), 'WIRE_INVALID_JSON @0')
  })
})

describe('[JSON-08] keys that deceive', () => {
  const deceptive: readonly (readonly [string, string])[] = [
    ['zero-width space', 'to\u200b'],
    ['soft hyphen', 'to\u00ad'],
    ['grapheme joiner', 'to\u034f'],
    ['Hangul filler', 'to\u3164'],
    ['tag character', 'to\u{e0041}'],
    ['variation selector', 'to\ufe0f'],
    ['supplementary variation selector', 'to\u{e0101}'],
    ['bidi override', '\u202eot'],
    ['bidi isolate', '\u2066to'],
    ['byte order mark', '\ufeffto'],
    ['control character', 'to\u0007'],
    ['no-break space', 'a\u00a0b'],
    ['Braille blank', 'to\u2800'],
    ['Cyrillic among Latin', 'аmount'],
    ['only Cyrillic that looks Latin', 'сору'],
    ['Greek', 'tο'],
    ['Armenian', 'tօ'],
    ['Cherokee', 'ᎪᎬ'],
    ['full-width', 'ｔｏ'],
    ['mathematical', '𝐭𝐨'],
    ['ligature', 'ﬁle'],
    ['other hyphen', 'reply\u2010to'],
  ]
  for (const [name, key] of deceptive) {
    it(name, () => {
      const text = JSON.stringify({ [key]: 1 })
      assert.match(judge(text, 'arguments'), /^WIRE_INVISIBLE_TEXT @/)
      assert.equal(judge(text, 'envelope'), 'ok')
    })
  }
  for (const key of ['prénom', 'сумма', '金額', 'größe', 'النص', 'a b', '$ref', 'x-y_z.0']) {
    it(`${key} is no deceit`, () => assert.equal(judge(JSON.stringify({ [key]: 1 }), 'arguments'), 'ok'))
  }
})

describe('[JSON-09] size', () => {
  const limits = { depth: 8, bytes: 10 }
  const rows: readonly (readonly [string, string, string])[] = [
    ['just fits', '"12345678"', 'ok'],
    ['one too many', '"123456789"', 'WIRE_ARGUMENT_TOO_LARGE @10'],
    ['one space too many', '"12345678" ', 'WIRE_ARGUMENT_TOO_LARGE @10'],
    ['bytes count, not units', '"éééé"', 'ok'],
    ['a character over the border', '"éééé€"', 'WIRE_ARGUMENT_TOO_LARGE @10'],
    ['an earlier fault comes first', '"12345\n6789"', 'WIRE_INVALID_JSON @6'],
    ['a later one does not count', '"12345678"x', 'WIRE_ARGUMENT_TOO_LARGE @10'],
    ['a pair over the border', '"1234567😀"', 'WIRE_ARGUMENT_TOO_LARGE @10'],
  ]
  for (const [name, text, verdict] of rows) it(name, () => assert.equal(judge(text, 'arguments', limits), verdict))

  it('each profile has its own reason', () => {
    const large = `"${'x'.repeat(20)}"`
    assert.equal(judge(large, 'chunk', limits), 'WIRE_FRAME_TOO_LARGE @10')
    assert.equal(judge(large, 'envelope', limits), 'WIRE_BODY_TOO_LARGE @10')
    const reading = parseStrictBytes(Buffer.from(large), limits)
    assert.equal(reading.ok ? 'ok' : at(reading.reason, reading.at), 'WIRE_BODY_TOO_LARGE @10')
  })

  it('is told with the byte that is too many', () => {
    const scanner = newJsonScanner(limits)
    assert.equal(scanner.push('{"a":"1234'), null)
    assert.equal(scanner.push('5')?.reason, 'WIRE_ARGUMENT_TOO_LARGE')
    assert.equal(scanner.push('6')?.at, 10)
  })
})

describe('[JSON-10] completeness', () => {
  it('an object is whole with its last bracket', () => {
    const scanner = newJsonScanner(LIMITS)
    for (const piece of ['{"a"', ':{', '}']) {
      assert.equal(scanner.push(piece), null)
      assert.equal(scanner.complete, false)
    }
    assert.equal(scanner.push('}'), null)
    assert.equal(scanner.complete, true)
    assert.equal(scanner.push(' \n'), null)
    assert.equal(scanner.complete, true)
    assert.equal(scanner.end(), null)
    assert.equal(scanner.push('x')?.reason, 'WIRE_INVALID_JSON')
    assert.equal(scanner.complete, false)
  })

  it('a number is whole at its end only', () => {
    const scanner = newJsonScanner(LIMITS)
    scanner.push('12')
    assert.equal(scanner.complete, false)
    scanner.push('3')
    assert.equal(scanner.end(), null)
    assert.equal(scanner.complete, true)
  })

  it('a fault is never complete, and stays', () => {
    const scanner = newJsonScanner(LIMITS)
    const fault = scanner.push('{"a":1,"a":2}')
    assert.equal(fault?.reason, 'WIRE_DUPLICATE_KEY')
    assert.equal(scanner.complete, false)
    assert.equal(scanner.push('{}'), fault)
    assert.equal(scanner.end(), fault)
  })
})

describe('[JSON-11] what strings hold', () => {
  const rows = [
    '"DROP"',
    '{"sql":"\\u0044ROP\\nTABLE","args":["a",{"b":"c"},"",3,"\\ud83d\\ude00é😀€"],"x":{"y":"z"}}',
    '[[],[["a"]],{},"b",{"k":[1,"c"]}]',
  ]
  for (const text of rows) {
    it(text, () => {
      for (const pieces of cuttings(text)) assert.deepEqual(hear(pieces), stringsOf(JSON.parse(text)))
    })
  }

  it('a string is told before it ends', () => {
    assert.deepEqual(hear(['{"sql":"DROP TA']), [{ path: ['sql'], text: 'DROP TA', ended: false }])
  })

  it('half a pair is held back', () => {
    assert.deepEqual(hear(['{"a":"x\\ud83d'])[0]?.text, 'x')
    assert.deepEqual(hear(['{"a":"x\\ud83d\\ude0', '0'])[0]?.text, 'x😀')
  })
})

describe('[JSON-12] turns', () => {
  it('gives the loop its chance after each turn', async () => {
    const body = Buffer.from(JSON.stringify({ a: 'é€😀'.repeat(100) }))
    let turns = 0
    const yieldTurn = async () => {
      turns++
    }
    const reading = await parseStrictChunked(body, LIMITS, { turnBytes: 64, yieldTurn })
    assert.deepEqual(reading, { ok: true, value: JSON.parse(body.toString()) })
    assert.ok(turns >= Math.floor(body.length / 64) && turns <= Math.ceil(body.length / 61))
  })
})

it('[JSON-12] a body of any size is read by the profile that was asked for', async () => {
  const turns = { turnBytes: 64 * 1024, yieldTurn: async () => {} }
  for (const size of [0, 300_000])
    for (const [profile, ok] of [
      ['chunk', false],
      ['envelope', true],
    ] as const) {
      const body = Buffer.from(JSON.stringify({ pad: 'x'.repeat(size), choices: 1, Choices: 2 }))
      const limits = { depth: 64, bytes: 1_000_000 }
      const reading = await readBody(body, limits, { turns, profile }, (parsed) => parsed)
      assert.equal(reading.ok, ok, `${profile} ${size}`)
    }
})

describe('[JSON-13] elementSpans', () => {
  const text = ' {"x":["no"], "messages" : [ {"a":"]}\\""} ,"b,", 12,[1,[2]] , true ] , "\\u0061":[{"b":[7]}], "e":[ ]}'
  const rows: readonly (readonly [string, readonly (string | number)[], readonly unknown[] | null])[] = [
    ['elements without the space around them', ['messages'], ['{"a":"]}\\""}', '"b,"', '12', '[1,[2]]', 'true']],
    ['a key in an escape', ['a'], ['{"b":[7]}']],
    ['a path through an array', ['a', 0, 'b'], ['7']],
    ['an empty array', ['e'], []],
    ['no such key', ['z'], null],
    ['no such position', ['a', 1, 'b'], null],
    ['not an array', [], null],
    ['not an array either', ['messages', 2], null],
  ]
  for (const [name, path, expected] of rows) {
    it(name, () => {
      const spans = elementSpans(text, path)
      assert.deepEqual(spans?.map(({ start, end }) => text.slice(start, end)) ?? null, expected)
    })
  }

  it('any array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(3), (elements, indent) => {
        const body = JSON.stringify({ before: elements, messages: elements }, null, indent)
        const spans = elementSpans(body, ['messages'])
        assert.deepEqual(
          spans?.map(({ start, end }) => JSON.parse(body.slice(start, end))),
          JSON.parse(JSON.stringify(elements)),
        )
      }),
    )
  })
})

describe('[JSON-13] valueSpan', () => {
  const text = ' {"a": {"input" : {"n": 1.0, "s":"}"} , "b":-1.5e3}, "c": null }'
  const rows: readonly (readonly [string, readonly (string | number)[], string | null])[] = [
    ['an object as it is written', ['a', 'input'], '{"n": 1.0, "s":"}"}'],
    ['a number as it is written', ['a', 'b'], '-1.5e3'],
    ['the last member', ['c'], 'null'],
    ['no such key', ['a', 'z'], null],
    ['the whole text', [], text.trim()],
  ]
  for (const [name, path, expected] of rows)
    it(name, () => {
      const span = valueSpan(text, path)
      assert.equal(span === null ? null : text.slice(span.start, span.end), expected)
    })
})
