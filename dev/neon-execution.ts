import pg from 'pg';
import { beginStatement, resultBody, type SqlHeaders, type Statement } from './neon-protocol.ts';

/** Postgres refused or lost the connection before a statement could run. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
  readonly wrongPassword: boolean;
  constructor(cause: unknown) {
    super(cause instanceof Error && cause.message !== '' ? cause.message : 'cannot reach Postgres', { cause });
    this.wrongPassword = cause instanceof pg.DatabaseError && cause.code === '28P01';
  }
}

interface RawQuery extends pg.QueryArrayConfig<unknown[]> {
  /** The protocol that takes one statement at a time, as Neon's does, with and without parameters. */
  readonly queryMode: 'extended';
}

const asText = { getTypeParser: () => (text: string) => text };

/**
 * Runs one statement, or a batch in one transaction that is rolled back whole at the first error.
 * @param gone aborts when the client has gone; what runs for it is cancelled
 * @throws {ConnectFailed} when there is no connection to be had; else what Postgres said
 */
export async function execute(
  pool: pg.Pool,
  statements: readonly Statement[],
  batch: boolean,
  headers: SqlHeaders,
  gone: AbortSignal,
): Promise<ReturnType<typeof resultBody>[]> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new ConnectFailed(error);
  });
  const cancel = () => void cancelQuery(client, pool);
  gone.addEventListener('abort', cancel, { once: true });
  let broken = false;
  try {
    gone.throwIfAborted();
    return batch ? await inTransaction(client, statements, headers) : await inTurn(client, statements, headers);
  } catch (error) {
    broken = !(error instanceof pg.DatabaseError) || error.severity !== 'ERROR';
    throw error;
  } finally {
    gone.removeEventListener('abort', cancel);
    // A connection that broke, or was left inside a transaction, serves nobody else.
    client.release(broken || gone.aborted || client.getTransactionStatus() !== 'I');
  }
}

async function inTurn(client: pg.PoolClient, statements: readonly Statement[], headers: SqlHeaders) {
  const results: ReturnType<typeof resultBody>[] = [];
  for (const { query, params, arrayMode } of statements) {
    const raw: RawQuery = { text: query, values: params, rowMode: 'array', types: asText, queryMode: 'extended' };
    results.push(resultBody(await client.query(raw), arrayMode ?? headers['neon-array-mode']));
  }
  return results;
}

async function inTransaction(client: pg.PoolClient, statements: readonly Statement[], headers: SqlHeaders) {
  await client.query(beginStatement(headers));
  try {
    const results = await inTurn(client, statements, headers);
    await client.query('COMMIT');
    return results;
  } catch (error) {
    // The first error is the one to tell; a connection that cannot even roll back is thrown away by the caller.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Asks over a second connection, the pool's may all be busy with what nobody waits for. */
async function cancelQuery(client: pg.PoolClient, pool: pg.Pool): Promise<void> {
  const pid = 'processID' in client ? client.processID : undefined;
  const other = new pg.Client(pool.options);
  other.on('error', () => undefined);
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [pid]);
  } catch {
    // The statement then runs to its end, unheard.
  } finally {
    await other.end().catch(() => undefined);
  }
}
