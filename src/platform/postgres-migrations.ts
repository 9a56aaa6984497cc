import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyPending } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import * as z from 'zod';

const folder = join(import.meta.dirname, '../../drizzle');
/** Any number that nobody else in the database locks: the bytes of "edgeau". */
const advisoryLock = 111_481_905_832_309;
const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

/**
 * Applies every migration that is still missing, in one transaction. Replicas that start together take turns.
 * @param databaseUrl of the database itself (over TCP, also where the Worker speaks HTTP with Neon)
 */
export async function migrate(databaseUrl: string): Promise<void> {
  await withLock(databaseUrl, (client) => applyPending(drizzle(client), { migrationsFolder: folder }));
}

/**
 * Takes back the newest migration with its down file, in one transaction.
 * @returns the name of what was taken back, or undefined where nothing is left
 */
export async function rollback(databaseUrl: string): Promise<string | undefined> {
  return await withLock(databaseUrl, async (client) => {
    const known = await client.query("select to_regclass('drizzle.__drizzle_migrations') is not null as present");
    if (known.rows[0]?.present !== true) return undefined;
    const { rows } = await client.query(
      'select id, created_at::text from drizzle.__drizzle_migrations order by created_at desc limit 1',
    );
    if (rows[0] === undefined) return undefined;
    const journal = journalSchema.parse(JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')));
    const entry = journal.entries.find(({ when }) => String(when) === rows[0].created_at);
    if (entry === undefined) throw new Error('The newest migration of this database is not among the files here');
    const down = await readFile(`${folder}/${entry.tag}.down.sql`, 'utf8');
    await client.query('begin');
    try {
      await client.query(down);
      await client.query('delete from drizzle.__drizzle_migrations where id = $1', [rows[0].id]);
      await client.query('commit');
    } catch (error) {
      // The first error is the one to tell, also where the connection went with it.
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
    return entry.tag;
  });
}

async function withLock<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'edge-auth-migrate',
    connectionTimeoutMillis: 10_000,
  });
  // A connection that breaks rejects the statement under way; without a listener it would end the process too.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [advisoryLock]);
    return await work(client);
  } finally {
    // Ending the connection frees the lock, also after an error.
    await client.end();
  }
}
