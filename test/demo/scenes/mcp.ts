import { createHash } from 'node:crypto'
import { connectMcp } from '../clients/mcp.ts'
import { claim, count } from '../say.ts'
import type { Stage } from '../stage.ts'

const SDK = '@modelcontextprotocol/client'

/** The same three scenes where no model is asked: the agent calls the tools of an MCP server itself. One row of the table. */
export async function mcpScenes(stage: Stage): Promise<readonly string[]> {
  return ['MCP client', await untouched(stage), await led(stage), await parallel(stage)]
}

const connect = (stage: Stage) =>
  connectMcp(`${stage.sallyport.facade}/mcp/warehouse`, stage.sallyport.tokenOf('marketing'))

/** The same requests to the server itself and through Sallyport; each answer is compared. */
async function untouched(stage: Stage): Promise<string> {
  const read = async (agent: Awaited<ReturnType<typeof connect>>): Promise<Buffer> => {
    await agent.call('search_docs', { query: 'spring campaign subject lines' })
    await agent.call('run_sql', { query: 'SELECT count(*) FROM customers' })
    const bytes = Buffer.concat(await agent.bytes())
    await agent.close()
    return bytes
  }
  const direct = await read(await connectMcp(stage.toolServer, null))
  const through = await read(await connect(stage))
  claim(through.length > 0 && through.equals(direct), `${SDK}: two allowed calls come back as the server's own bytes`, {
    direct: direct.toString().slice(-400),
    through: through.toString().slice(-400),
  })
  return `${count(through.length)} (${createHash('sha256').update(through).digest('hex').slice(0, 8)}…)`
}

async function led(stage: Stage): Promise<string> {
  const [before, ranBefore] = [await stage.tools.customers(), stage.tools.ran.length]
  const agent = await connect(stage)
  const dropped = await agent.call('run_sql', { query: 'DROP TABLE customers' })
  claim(
    dropped.refused && dropped.text.startsWith('sallyport: INTENT_SQL_DDL: ') && stage.tools.ran.length === ranBefore,
    `${SDK}: DROP TABLE is a refused result; the server never saw the call`,
    dropped,
  )
  const next = await agent.call('run_sql', { query: 'SELECT count(*)::int AS n FROM customers' })
  const rows = await stage.tools.customers()
  claim(
    !next.refused && before !== null && next.text === JSON.stringify([{ n: before }]) && rows === before,
    `${SDK}: the session goes on, and the table stands`,
    { next, rows, before },
  )
  await agent.close()
  return `${rows} rows stand`
}

async function parallel(stage: Stage): Promise<string> {
  const ranBefore = stage.tools.ran.length
  const agent = await connect(stage)
  const [found, deleted, read] = await Promise.all([
    agent.call('search_docs', { query: 'spring campaign subject lines' }),
    agent.call('run_sql', { query: 'DELETE FROM customers' }),
    agent.call('run_sql', { query: 'SELECT name FROM customers LIMIT 1' }),
  ])
  const ran = stage.tools.ran.slice(ranBefore).map(({ name }) => name)
  claim(
    !found.refused && !read.refused && deleted.text.startsWith('sallyport: INTENT_SQL_WRITE: ') && ran.length === 2,
    `${SDK}: of three calls at once the DELETE is refused, two run`,
    { found, deleted, read, ran },
  )
  await agent.close()
  return [...ran].sort().reverse().join(', ')
}
