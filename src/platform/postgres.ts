import type { Logger } from 'drizzle-orm/logger';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Database } from '../db/database.ts';
import { retryingDatabase } from '../db/retries.ts';
import { cancelStatement } from './postgres-cancel.ts';
import { readConnectionString } from './postgres-url.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Sees each statement, for tests that count. */
  readonly logger?: Logger;
}

/** How long a statement may take: milliseconds. */
const statementTime = 10_000;

/**
 * Postgres over TCP, through a pool.
 * The service gives up a statement after 10 s, and waiting for a connection after 5 s, so that a stuck database becomes
 * a 503.
 */
export function createPostgres({ url, poolSize, logger }: PostgresOptions): { db: Database; close(): Promise<void> } {
  const pool = openPool({ url, poolSize });
  return { db: databaseOn(pool, logger), close: () => pool.end() };
}

/** The application's statements on a pool. */
export const databaseOn = (pool: pg.Pool, logger?: Logger): Database =>
  retryingDatabase(drizzle(pool, { logger: logger ?? false }));

interface PoolOptions extends Pick<PostgresOptions, 'url' | 'poolSize'> {
  /** For tests; milliseconds. */
  readonly statementTime?: number;
}

/**
 * A pool whose connections set nothing in their sessions, as poolers in transaction mode ask for: they refuse
 * `statement_timeout` in the startup message, and hand a `set` on to strangers. So the client watches the time of a
 * statement, and asks the server to cancel what takes too long.
 */
export function openPool({ url, poolSize, statementTime: time = statementTime }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    Client: CancellingClient,
    ...readConnectionString(url),
    max: poolSize,
    application_name: 'edge-auth',
    connectionTimeoutMillis: 5000,
    query_timeout: time,
    idleTimeoutMillis: 30_000,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('release', (error, client) => {
    if (error instanceof Error && error.message === 'Query read timeout') overdue.add(client);
  });
  return pool;
}

/** Connections whose statement the service has given up, and Postgres may not. */
const overdue = new WeakSet<pg.Client>();

/** Before it closes a connection with an overdue statement it has Postgres cancel that, with the locks it holds. */
class CancellingClient extends pg.Client {
  override async end(callback?: (error: Error) => void): Promise<void> {
    // While the connection is open: a pooler cancels for clients that it knows alone.
    if (overdue.has(this)) await cancelStatement(this);
    if (callback === undefined) await super.end();
    else super.end(callback);
  }
}
