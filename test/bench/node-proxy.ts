/** The yardstick: the least that a reverse proxy in Node does. `node-proxy.ts UPSTREAM_PORT` prints its port. */
import { Agent, createServer, request as openRequest } from 'node:http'

const port = Number(process.argv[2])
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 256 })

const server = createServer((request, response) => {
  const { method, url: path, headers } = request
  const upstream = openRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.pipe(response)
  })
  upstream.on('error', () => response.destroy())
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' && address !== null ? address.port : '')
})
process.once('disconnect', () => process.exit(0))
