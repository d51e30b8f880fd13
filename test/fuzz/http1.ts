import assert from 'node:assert/strict'
import {
  answerKind,
  contentEncodingOf,
  readHeaders,
  requestContentType,
  requestFraming,
  requestTarget,
} from '#pkg/path/codec/wire/http1'
import type { Target } from './runner/target.ts'

/** A head as a parser would hand it over: first line = method and target, then name: value. Never a throw, one reading only. */
export const target: Target = {
  name: 'http1',
  words: [
    'content-length: ',
    'transfer-encoding: chunked',
    'content-type: application/json',
    'content-encoding: gzip, br',
    'expect: 100-continue',
    'connection: upgrade',
    '%2e%2e',
    '//',
    '/..',
    '%00',
    '?',
    '#',
    'http://x/',
    'sp_vk_',
  ],
  run(bytes) {
    const [first = '', ...lines] = Buffer.from(bytes).toString('latin1').split('\n')
    const [method = '', url = ''] = first.split(' ')
    const target = requestTarget(method, url)
    if (target.ok) {
      assert.equal(target.path + target.query, url, 'the target was repaired')
      assert.ok(!target.path.split('/').some((part) => part === '..' || part === '.'), 'a dot segment passed')
    }
    const headers = readHeaders(
      lines.flatMap((line) => [
        line.slice(0, Math.max(0, line.indexOf(':'))),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    )
    if (!headers.ok) return `${target.ok} ${headers.reason}`
    const framing = requestFraming(headers.headers, '1.1')
    const both = 'content-length' in headers.headers && 'transfer-encoding' in headers.headers
    assert.ok(!(framing.ok && both), 'two framings passed')
    const type = requestContentType(headers.headers)
    const answer = answerKind(200, headers.headers)
    contentEncodingOf(headers.headers)
    return [
      target.ok || target.reason,
      framing.ok || framing.reason,
      type.ok || type.reason,
      answer.ok ? answer.kind : answer.reason,
    ].join(' ')
  },
}
