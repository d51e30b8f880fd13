import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import fc from 'fast-check'
import type { Reason } from '#pkg/model'
import { type Decoded, type DecoderLimits, decodeWhole, newDecoder } from './index.ts'

const MIB = 1024 * 1024
const limits: DecoderLimits = { ratio: 200, maxBytes: null }

const compress: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  'x-gzip': (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
}
const codings = ['gzip', 'x-gzip', 'deflate', 'br', 'zstd'] as const
const zipped = (coding: string, bytes: Uint8Array): Buffer => compress[coding]?.(bytes) ?? assert.fail(coding)

type Result = { readonly reason: Reason | 'ok'; readonly text: string; readonly perPush: readonly number[] }

async function decode(coding: string | null, chunks: readonly Uint8Array[], bounds = limits): Promise<Result> {
  const opened = newDecoder(coding, bounds)
  if (!opened.ok) return { reason: opened.reason, text: '', perPush: [] }
  const { decoder } = opened
  const out: Uint8Array[] = []
  const perPush: number[] = []
  for (const chunk of chunks) {
    const step = await decoder.push(chunk)
    if (!step.ok) return { reason: step.reason, text: '', perPush }
    out.push(...step.chunks)
    perPush.push(step.chunks.reduce((sum, bytes) => sum + bytes.length, 0))
  }
  const last = await decoder.end()
  if (!last.ok) return { reason: last.reason, text: '', perPush }
  out.push(...last.chunks)
  return { reason: 'ok', text: Buffer.concat(out).toString('latin1'), perPush }
}

/** Whole, byte by byte, and at every split. */
function* cutsOf(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  yield [bytes]
  yield Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

const sample = Buffer.from('data: {"delta":"hello, world"}\n\n'.repeat(3))

for (const coding of codings) {
  test(`[ENC-01] ${coding}: the same bytes whole, byte by byte and at every split`, async () => {
    for (const cut of cutsOf(zipped(coding, sample))) {
      const result = await decode(coding, cut)
      assert.deepEqual([result.reason, result.text], ['ok', sample.toString()])
    }
  })

  test(`[ENC-03] ${coding}: cut short anywhere is corrupt, in every cut`, async () => {
    const bytes = zipped(coding, sample)
    for (let length = 0; length < bytes.length; length += 1) {
      const part = bytes.subarray(0, length)
      assert.equal((await decode(coding, [part])).reason, 'WIRE_ENCODING_CORRUPT', `${length} bytes`)
    }
    const most = bytes.subarray(0, -1)
    for (const cut of cutsOf(most)) assert.equal((await decode(coding, cut)).reason, 'WIRE_ENCODING_CORRUPT')
  })

  for (const [name, tail] of [
    ['garbage', Buffer.from('garbage')],
    ['zeros', Buffer.alloc(9)],
    ['one byte', Buffer.from([0x1f])],
    ['an event', Buffer.from('data: {"evil":1}\n\n')],
  ] as const)
    test(`[ENC-03] ${coding}: ${name} behind the end is corrupt, in every cut`, async () => {
      for (const cut of cutsOf(Buffer.concat([zipped(coding, sample), tail])))
        assert.equal((await decode(coding, cut)).reason, 'WIRE_ENCODING_CORRUPT')
    })

  test(`[ENC-03] ${coding}: a second member is read where its RFC allows one, in every cut`, async () => {
    const twice = Buffer.concat([zipped(coding, sample), zipped(coding, sample)])
    const allowed = coding.includes('gzip') || coding === 'zstd'
    for (const cut of cutsOf(twice)) {
      const result = await decode(coding, cut)
      assert.equal(result.reason, allowed ? 'ok' : 'WIRE_ENCODING_CORRUPT')
      if (allowed) assert.equal(result.text, sample.toString().repeat(2))
    }
  })

  test(`[ENC-03] ${coding}: a body that is not what it says is corrupt`, async () => {
    for (const body of [sample, Buffer.from('{"a":1}'), zipped(coding === 'gzip' ? 'deflate' : 'gzip', sample)])
      if (!(coding === 'x-gzip' && body[0] === 0x1f))
        assert.equal((await decode(coding, [body])).reason, 'WIRE_ENCODING_CORRUPT')
  })

  test(`[ENC-04] ${coding}: a bomb ends at the ratio, not at its size, whole and in pieces`, async () => {
    const bomb = zipped(coding, Buffer.alloc(64 * MIB))
    assert.ok(bomb.length < MIB / 2)
    const pieces = Array.from({ length: Math.ceil(bomb.length / 64) }, (_, at) => bomb.subarray(at * 64, at * 64 + 64))
    const bounds = { ratio: 200, maxBytes: null }
    assert.equal((await decode(coding, [bomb], bounds)).reason, 'WIRE_ENCODING_BOMB')
    assert.equal((await decode(coding, pieces, bounds)).reason, 'WIRE_ENCODING_BOMB')
  })

  test(`[ENC-04] ${coding}: growth up to 1 MiB is free, one byte above it is not`, async () => {
    const bounds = { ratio: 2, maxBytes: null }
    assert.equal((await decode(coding, [zipped(coding, Buffer.alloc(MIB))], bounds)).reason, 'ok')
    assert.equal((await decode(coding, [zipped(coding, Buffer.alloc(MIB + 1))], bounds)).reason, 'WIRE_ENCODING_BOMB')
  })

  test(`[ENC-04] ${coding}: the cap holds at the cap and not one above`, async () => {
    const body = zipped(coding, Buffer.alloc(100_000, 'ab'))
    const at = (maxBytes: number) =>
      decode(coding, [body], { ratio: 1_000, maxBytes, overReason: 'WIRE_BODY_TOO_LARGE' })
    assert.equal((await at(100_000)).reason, 'ok')
    assert.equal((await at(99_999)).reason, 'WIRE_BODY_TOO_LARGE')
  })

  test(`[ENC-03] ${coding}: a fault is the answer to every later step`, async () => {
    const opened = newDecoder(coding, limits)
    assert.ok(opened.ok)
    const first = await opened.decoder.push(Buffer.from('no coding at all'))
    const later = first.ok ? await opened.decoder.end() : first
    assert.equal(later.ok, false)
    assert.deepEqual(await opened.decoder.push(sample), later)
    assert.deepEqual(await opened.decoder.end(), later)
    opened.decoder.close()
    opened.decoder.close()
  })

  test(`[ENC-01] ${coding}: arbitrary bytes in arbitrary pieces come out as they went in`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3_000 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        async (bytes, sizes) => {
          const body = zipped(coding, bytes)
          const chunks: Uint8Array[] = []
          let at = 0
          for (const size of sizes) {
            chunks.push(body.subarray(at, at + size))
            at += size
          }
          chunks.push(body.subarray(at))
          const result = await decode(coding, chunks)
          assert.deepEqual([result.reason, result.text], ['ok', Buffer.from(bytes).toString('latin1')])
        },
      ),
      { numRuns: 25 },
    )
  })

  test(`[ENC-03] ${coding}: one changed byte gives the same bytes or a fault, never a hang`, async () => {
    const body = zipped(coding, sample)
    for (let at = 0; at < body.length; at += 1) {
      const changed = Buffer.from(body)
      changed[at] = (changed[at] ?? 0) ^ 0xff
      const result = await decode(coding, [changed])
      assert.ok(
        result.reason !== 'ok' || result.text === sample.toString() || coding === 'br',
        `byte ${at}: ${result.reason}`,
      )
    }
  })
}

for (const [coding, create, flush] of [
  ['gzip', () => createGzip(), constants.Z_SYNC_FLUSH],
  ['deflate', () => createDeflate(), constants.Z_SYNC_FLUSH],
  ['br', () => createBrotliCompress(), constants.BROTLI_OPERATION_FLUSH],
  ['zstd', () => createZstdCompress(), constants.ZSTD_e_flush],
] as const)
  test(`[ENC-02] ${coding}: an event that the sender flushed comes out of the push that brings it`, async () => {
    const coder = create()
    const sent: Buffer[] = []
    coder.on('data', (bytes: Buffer) => sent.push(bytes))
    const opened = newDecoder(coding, limits)
    assert.ok(opened.ok)
    for (let event = 0; event < 20; event += 1) {
      const text = `data: {"n":${event}}\n\n`
      coder.write(text)
      await new Promise<void>((resolve) => coder.flush(flush, resolve))
      const step: Decoded = await opened.decoder.push(Buffer.concat(sent.splice(0)))
      assert.ok(step.ok)
      assert.equal(Buffer.concat([...step.chunks]).toString(), text)
    }
    opened.decoder.close()
  })

for (const name of [null, '', 'identity', 'Identity', ' identity '])
  test(`[ENC-01] ${JSON.stringify(name)} is identity: the chunk itself, at once`, () => {
    const opened = newDecoder(name, limits)
    assert.ok(opened.ok)
    const step = opened.decoder.push(sample)
    assert.ok(!(step instanceof Promise) && step.ok)
    assert.equal(step.chunks[0], sample)
    const last = opened.decoder.end()
    assert.deepEqual(last, { ok: true, chunks: [] })
  })

test('[ENC-04] identity: the cap holds over all chunks, at the cap and one above', async () => {
  const bounds = { ratio: 200, maxBytes: 10 }
  assert.equal((await decode(null, [Buffer.alloc(6), Buffer.alloc(4)], bounds)).reason, 'ok')
  assert.equal((await decode(null, [Buffer.alloc(6), Buffer.alloc(5)], bounds)).reason, 'WIRE_ANSWER_TOO_LARGE')
})

for (const name of [
  'gzip, br',
  'gzip,gzip',
  'identity, gzip',
  'dcb',
  'dcz',
  'compress',
  'aws-chunked',
  'gzip;q=1',
  '*',
  'constructor',
])
  test(`[ENC-05] ${name} is not supported`, () => {
    const opened = newDecoder(name, limits)
    assert.equal(opened.ok ? 'ok' : opened.reason, 'WIRE_ENCODING_UNSUPPORTED')
  })

test('[ENC-05] a zlib body that needs a dictionary is not supported', async () => {
  const body = deflateSync(sample, { dictionary: Buffer.from('hello, world') })
  for (const cut of cutsOf(body)) assert.equal((await decode('deflate', cut)).reason, 'WIRE_ENCODING_UNSUPPORTED')
})

test('[ENC-03] deflate is zlib: a raw one is corrupt', async () => {
  assert.equal((await decode('deflate', [deflateRawSync(sample)])).reason, 'WIRE_ENCODING_CORRUPT')
})

test('[ENC-04] a zstd window above 8 MiB is refused', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 24, [constants.ZSTD_c_contentSizeFlag]: 0 }
  const coder = createZstdCompress({ params })
  const sent: Buffer[] = []
  coder.on('data', (bytes: Buffer) => sent.push(bytes))
  coder.write(Buffer.alloc(17 * MIB, 'abc'))
  await new Promise<void>((resolve) => coder.end(resolve))
  assert.equal(
    (await decode('zstd', [Buffer.concat(sent)], { ratio: 1e9, maxBytes: null })).reason,
    'WIRE_ENCODING_CORRUPT',
  )
})

test('[ENC-06] a whole body: identity is the same bytes at once; a coding is taken off; both caps hold', async () => {
  const bounds = { ratio: 200, maxBytes: sample.length }
  assert.deepEqual(decodeWhole(sample, null, bounds), { ok: true, body: sample })
  for (const coding of codings) {
    const result = await decodeWhole(zipped(coding, sample), coding, bounds)
    assert.ok(result.ok)
    assert.deepEqual(Buffer.from(result.body), sample)
    const over = await decodeWhole(zipped(coding, sample), coding, { ratio: 200, maxBytes: sample.length - 1 })
    assert.equal(over.ok ? 'ok' : over.reason, 'WIRE_BODY_TOO_LARGE')
  }
  const sent = decodeWhole(sample, null, { ratio: 200, maxBytes: sample.length - 1 })
  assert.ok(!(sent instanceof Promise) && !sent.ok)
  assert.equal(sent.reason, 'WIRE_BODY_TOO_LARGE')
  const none = await decodeWhole(sample, 'gzip, br', bounds)
  assert.equal(none.ok ? 'ok' : none.reason, 'WIRE_ENCODING_UNSUPPORTED')
})

test('[ENC-04] a body left in the middle of a push ends that push', async () => {
  const opened = newDecoder('gzip', { ratio: 1e9, maxBytes: null })
  assert.ok(opened.ok)
  const step = opened.decoder.push(gzipSync(Buffer.alloc(16 * MIB)))
  opened.decoder.close()
  assert.equal((await step).ok, false)
})
