import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import * as z from 'zod';
import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { retryingDatabase } from '../db/retries.ts';
import { readConnectionString } from './postgres-url.ts';

const binding = z.object({ HYPERDRIVE: z.object({ connectionString: z.string() }) });

/** Variables that come from bindings: the address under which Hyperdrive takes connections of this isolate. */
export function databaseVariables(bindings: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const found = binding.safeParse(bindings).data;
  return found === undefined ? {} : { DATABASE_URL: found.HYPERDRIVE.connectionString };
}

/**
 * The database of a Worker: any Postgres, by way of Hyperdrive, which keeps the connections to it. Requests must not
 * share a socket here, so each statement has one of its own, to Hyperdrive in the same place.
 * A statement is given up after 10 s, and a connection after 5 s.
 */
export function openDatabase({ database }: Config): Database {
  const connect = () =>
    new pg.Client({
      ...readConnectionString(database.url),
      application_name: 'edge-auth',
      connectionTimeoutMillis: 5000,
      query_timeout: 10_000,
    });
  return retryingDatabase(drizzle(new OneStatementEach(connect)));
}

/** What the query builder takes for a client: it makes a connection for each statement. */
class OneStatementEach extends pg.Client {
  readonly #connect: () => pg.Client;

  constructor(connect: () => pg.Client) {
    super();
    this.#connect = connect;
    Object.assign(this, { query: (...args: [pg.QueryConfig, unknown[]]) => this.#run(args) });
  }

  async #run(args: [pg.QueryConfig, unknown[]]): Promise<pg.QueryResult> {
    const client = this.#connect();
    // What breaks while a statement runs rejects that statement; what breaks after it is nobody's.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.query(...args);
    } finally {
      // The answer does not wait for the farewell.
      void client.end().catch(() => undefined);
    }
  }
}
