import { createServer } from 'node:http'

process.on('SIGINT', () => process.exit(0))

import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as http1 from '#pkg/path/codec/wire/http1'
import { newFacade } from '#pkg/path/intercept'

const OUT = Buffer.from(JSON.stringify({ ok: true, pad: 'x'.repeat(400) }))
const mode = process.argv[2]
if (mode === 'bare') {
  const s = createServer((req, res) => {
    const c: Buffer[] = []
    req.on('data', (d) => c.push(d))
    req.on('end', () => {
      Buffer.concat(c)
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': OUT.length })
      res.end(OUT)
    })
  })
  s.listen(0, '127.0.0.1', () => console.log((s.address() as any).port))
} else {
  const f = newFacade(
    {
      rules: http1,
      decode: decodeWhole,
      handle: (a, c) => c.reply(200, { 'content-type': 'application/json' }, OUT),
      reject: () => {},
    },
    { facades: [{ name: 'openai', base: '/openai/v1' }], port: 0 },
  )
  f.listen().then((x) => console.log(x.port))
}
