import type { Logger } from 'drizzle-orm/logger';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Database } from '../db/database.ts';
import { readConnectionString } from './postgres-url.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Sees each statement, for tests that count. */
  readonly logger?: Logger;
}

/**
 * Postgres over TCP, through a pool.
 * A statement is given up after 10 s, and waiting for a connection after 5 s, so that a stuck database becomes a 503.
 */
export function createPostgres({ url, poolSize, logger }: PostgresOptions): { db: Database; close(): Promise<void> } {
  const pool = openPool({ url, poolSize });
  return { db: databaseOn(pool, logger), close: () => pool.end() };
}

/** The application's statements on a pool. */
export const databaseOn = (pool: pg.Pool, logger?: Logger): Database => drizzle(pool, { logger: logger ?? false });

export function openPool({ url, poolSize }: Pick<PostgresOptions, 'url' | 'poolSize'>): pg.Pool {
  const pool = new pg.Pool({
    ...readConnectionString(url),
    max: poolSize,
    application_name: 'edge-auth',
    connectionTimeoutMillis: 5000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    idleTimeoutMillis: 30_000,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}
