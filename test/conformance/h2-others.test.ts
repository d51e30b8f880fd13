/** [H2-20] The tests of these names over HTTP/2: a real facade and Node's client, a real provider behind TLS. */
import { overHttp2 } from '../fixtures/path.ts'

overHttp2()
await import('./anthropic.test.ts')
await import('./gemini.test.ts')
await import('./mcp.test.ts')
await import('./evasions.test.ts')
await import('./twins.test.ts')
