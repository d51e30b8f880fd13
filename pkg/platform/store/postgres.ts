import { Pool } from 'pg'
import type { AgentKey } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Keyed, Put, RowStore, Stored } from './ports.ts'

/** Everything but `url` and `decode` has a default. */
export type PostgresOptions<Row> = {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** Reads a row as it stands in the table; null = it is none, which is a fault. */
  readonly decode: (value: unknown) => Row | null
  /** Connections. Default 4. */
  readonly maxConnections?: number
  /** To be connected. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** For one statement. Default 5,000. */
  readonly statementTimeoutMs?: number
  /** Rows that are read at a time. Default 1,000. */
  readonly pageRows?: number
}

/** Neither a smaller epoch nor a deletion gets past the table itself, whoever asks for it. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS sallyport_lives (
  agent text COLLATE "C" PRIMARY KEY,
  epoch bigint NOT NULL CHECK (epoch >= 1),
  revision bigint NOT NULL CHECK (revision >= 1),
  body jsonb NOT NULL,
  written timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS sallyport_floor (single boolean PRIMARY KEY DEFAULT true CHECK (single), floor bigint NOT NULL);
INSERT INTO sallyport_floor (floor) VALUES (0) ON CONFLICT DO NOTHING;
CREATE OR REPLACE FUNCTION sallyport_only_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'the epoch of % must not be lost', OLD.agent; END IF;
  IF NEW.epoch < OLD.epoch THEN RAISE EXCEPTION 'the epoch of % falls from % to %', OLD.agent, OLD.epoch, NEW.epoch; END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER sallyport_only_up BEFORE UPDATE OR DELETE ON sallyport_lives
  FOR EACH ROW EXECUTE FUNCTION sallyport_only_up();
`

/** Taken while the tables are made: replicas that start together would else make them twice. */
const SCHEMA_LOCK = 0x5a11

const PUT = `
INSERT INTO sallyport_lives AS lives (agent, epoch, revision, body) SELECT $1, $2, 1, $3 WHERE $4::bigint = 0
ON CONFLICT (agent) DO NOTHING RETURNING revision`
const PUT_AGAIN = `
UPDATE sallyport_lives SET epoch = $2, revision = revision + 1, body = $3, written = now()
WHERE agent = $1 AND revision = $4 AND epoch <= $2 RETURNING revision`
const NEW_FLOOR = `
UPDATE sallyport_floor SET floor = GREATEST(floor, (SELECT coalesce(max(epoch), 0) FROM sallyport_lives)) + $1 RETURNING floor`

type Line = { readonly agent: string; readonly revision: string; readonly body: unknown }

/**
 * Rows in Postgres; makes its tables if they are not there.
 * @throws SallyportError STATE_UNAVAILABLE, also later on, when the server does not answer
 */
export async function openPostgresRows<Row extends Keyed>(options: PostgresOptions<Row>): Promise<RowStore<Row>> {
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 4,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: options.statementTimeoutMs ?? 5_000,
    application_name: 'sallyport',
  })
  pool.on('error', () => {}) // of a connection that nobody uses: the next question makes another
  const rows = new PostgresRows(pool, options)
  try {
    await rows.makeTables()
    return rows
  } catch (error) {
    await pool.end()
    throw error
  }
}

class PostgresRows<Row extends Keyed> implements RowStore<Row> {
  readonly #pool: Pool
  readonly #options: PostgresOptions<Row>

  constructor(pool: Pool, options: PostgresOptions<Row>) {
    this.#pool = pool
    this.#options = options
  }

  async makeTables(): Promise<void> {
    await this.#ask(`BEGIN; SELECT pg_advisory_xact_lock(${SCHEMA_LOCK}); ${SCHEMA}; COMMIT`)
  }

  async get(agent: AgentKey): Promise<Stored<Row> | null> {
    const [line] = await this.#ask<Line>('SELECT agent, revision, body FROM sallyport_lives WHERE agent = $1', [agent])
    return line === undefined ? null : this.#stored(line)
  }

  async put(row: Row, seen: number): Promise<Put<Row>> {
    const given = [row.agent, row.epoch, JSON.stringify(row), seen]
    const [line] = await this.#ask<{ revision: string }>(seen === 0 ? PUT : PUT_AGAIN, given)
    if (line !== undefined) return { kind: 'written', revision: Number(line.revision) }
    return { kind: 'stale', found: await this.get(row.agent) }
  }

  async *all(): AsyncGenerator<Stored<Row>> {
    const page = this.#options.pageRows ?? 1_000
    for (let after = ''; ; ) {
      const lines = await this.#ask<Line>(
        'SELECT agent, revision, body FROM sallyport_lives WHERE agent > $1 ORDER BY agent LIMIT $2',
        [after, page],
      )
      for (const line of lines) yield this.#stored(line)
      const last = lines.at(-1)
      if (last === undefined || lines.length < page) return
      after = last.agent
    }
  }

  async newFloor(step: number): Promise<number> {
    const [line] = await this.#ask<{ floor: string }>(NEW_FLOOR, [step])
    if (line === undefined) throw unavailable('the floor of epochs is not there', null)
    return Number(line.floor)
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  #stored({ agent, revision, body }: Line): Stored<Row> {
    const row = this.#options.decode(body)
    if (row === null || row.agent !== agent) throw unavailable(`the row of ${agent} is not as it was written`, null)
    return { row, revision: Number(revision) }
  }

  async #ask<T>(text: string, values?: readonly unknown[]): Promise<readonly T[]> {
    try {
      const answer = await this.#pool.query(text, values === undefined ? undefined : [...values])
      return answer.rows as T[] // the columns stand in the text
    } catch (error) {
      throw unavailable('Postgres does not do what it is asked', error)
    }
  }
}

function unavailable(what: string, cause: unknown): SallyportError {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return new SallyportError('STATE_UNAVAILABLE', `${what}${why}`, { cause: cause ?? undefined })
}
