import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';
import * as z from 'zod';
import { readConnectionString } from './postgres-url.ts';

const folder = join(import.meta.dirname, '../../drizzle');
/** Any number that nobody else in the database locks: the bytes of "edgeau". */
const advisoryLock = 111_481_905_832_309;
/** How often it is tried, and how long it then lets others pass, where a table is held: milliseconds. */
const attempts = 5;
const attemptPause = 1000;
const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

export interface MigrationOptions {
  /** Breaks off what waits or works; nothing is changed then. */
  readonly signal?: AbortSignal | undefined;
  /** Is told once for each wait what is waited for. */
  readonly onWait?: ((what: string) => void) | undefined;
}

/**
 * Applies every migration that is still missing, in one transaction. Replicas that start together take turns.
 * @param databaseUrl of the database itself (over TCP, also where the Worker speaks HTTP with Neon)
 * @throws where another session holds a table for longer than a migration may make everybody else wait
 */
export async function migrate(databaseUrl: string, options: MigrationOptions = {}): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: folder });
  await inTurn(databaseUrl, options, async (client) => {
    // As drizzle's own migrator does and notes it, which begins a transaction of its own: too late for the lock.
    await client.query('create schema if not exists drizzle');
    await client.query(
      'create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)',
    );
    const { rows } = await client.query(
      'select created_at from drizzle.__drizzle_migrations order by created_at desc limit 1',
    );
    const newest = Number(rows[0]?.created_at ?? Number.NEGATIVE_INFINITY);
    for (const { sql, hash, folderMillis } of migrations.filter((each) => each.folderMillis > newest)) {
      for (const statement of sql) await client.query(statement);
      await client.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', [
        hash,
        folderMillis,
      ]);
    }
  });
}

/**
 * Takes back the newest migration with its down file, in one transaction.
 * @returns the name of what was taken back, or undefined where nothing is left
 * @throws as `migrate` does
 */
export async function rollback(databaseUrl: string, options: MigrationOptions = {}): Promise<string | undefined> {
  return await inTurn(databaseUrl, options, async (client) => {
    const known = await client.query("select to_regclass('drizzle.__drizzle_migrations') is not null as present");
    if (known.rows[0]?.present !== true) return undefined;
    const { rows } = await client.query(
      'select id, created_at::text from drizzle.__drizzle_migrations order by created_at desc limit 1',
    );
    if (rows[0] === undefined) return undefined;
    const journal = journalSchema.parse(JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')));
    const entry = journal.entries.find(({ when }) => String(when) === rows[0].created_at);
    if (entry === undefined) throw new Error('The newest migration of this database is not among the files here');
    await client.query(await readFile(`${folder}/${entry.tag}.down.sql`, 'utf8'));
    await client.query('delete from drizzle.__drizzle_migrations where id = $1', [rows[0].id]);
    return entry.tag;
  });
}

type Work<T> = (client: pg.Client) => Promise<T>;

/** One transaction that no other migration runs beside, over a connection of its own. */
async function inTurn<T>(databaseUrl: string, options: MigrationOptions, work: Work<T>): Promise<T> {
  const { signal, onWait } = options;
  signal?.throwIfAborted();
  const client = new pg.Client({
    ...readConnectionString(databaseUrl),
    application_name: 'edge-auth-migrate',
    connectionTimeoutMillis: 10_000,
  });
  // A connection that breaks rejects the statement under way; without a listener it would end the process too.
  client.on('error', () => undefined);
  const breakOff = () => void client.end().catch(() => undefined);
  signal?.addEventListener('abort', breakOff);
  try {
    await client.connect();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await transact(client, options, work);
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        if (attempt === attempts) throw new TableHeld();
        if (attempt === 1) onWait?.('another session that holds a table');
      }
      await sleep(attemptPause, undefined, { signal });
    }
  } finally {
    signal?.removeEventListener('abort', breakOff);
    await client.end();
  }
}

class TableHeld extends Error {
  override readonly name = 'TableHeld';

  constructor() {
    super('another session (a dump, a long transaction) holds a table that has to change: try again when it has ended');
  }
}

const isLockTimeout = (error: unknown) => error instanceof Error && 'code' in error && error.code === '55P03';

async function transact<T>(client: pg.Client, { onWait }: MigrationOptions, work: Work<T>): Promise<T> {
  // So that what is read after the wait is what the other one left, whatever the database's default is.
  await client.query('begin isolation level read committed');
  try {
    // The lock ends with the transaction. One of the session would stay on the connection that a pooler keeps.
    const { rows } = await client.query('select pg_try_advisory_xact_lock($1) as taken', [advisoryLock]);
    if (rows[0]?.taken !== true) {
      onWait?.('another migration');
      await client.query('select pg_advisory_xact_lock($1)', [advisoryLock]);
    }
    // Whoever waits for a table makes every later statement on it wait too, reads as well.
    await client.query("set local lock_timeout = '5s'");
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    // The first error is the one to tell, also where the connection went with it.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
