import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';
import * as z from 'zod';
import { type Grant, grant } from './postgres-grants.ts';
import { DatabaseProblem } from './postgres-reasons.ts';
import { checkTablesInSight, readState, schemaToChange } from './postgres-schema.ts';
import { connected, inTurn, type MigrationOptions } from './postgres-turn.ts';

const folder = join(import.meta.dirname, '../../drizzle');
const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

/**
 * Applies every migration that is still missing, in one transaction. Replicas that start together take turns. Where
 * nothing is missing it only reads: the role of the service needs no privilege to change the schema.
 * @param databaseUrl of the database itself (over TCP, also where the Worker speaks HTTP with Neon)
 * @param options `grantTo` names the role of the service, which then may use the tables that there are
 * @throws {DatabaseProblem} a sentence that says what is wrong and what to do
 */
export async function migrate(
  databaseUrl: string,
  options: MigrationOptions & { readonly grantTo?: Grant | undefined } = {},
): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: folder });
  await connected(databaseUrl, options.signal, (client) =>
    inTurn(client, options, async () => {
      const found = await readState(client);
      const missing = migrations.filter(({ folderMillis }) => folderMillis > found.newest);
      if (missing.length > 0) {
        await workIn(client, await schemaToChange(client, found));
        await apply(client, missing);
      } else await checkTablesInSight(client, found);
      if (options.grantTo !== undefined)
        await grant(client, await schemaToChange(client, await readState(client)), options.grantTo);
    }),
  );
}

/** Names without a schema mean this one; the functions that migrations make keep it for their own statements. */
async function workIn(client: pg.Client, schema: string): Promise<void> {
  await client.query(`set local search_path = ${pg.escapeIdentifier(schema)}, pg_temp`);
}

/** drizzle-kit writes references to tables as `"public"."users"`, wherever the tables are. */
const unqualified = (statement: string): string => statement.replaceAll('"public".', '');

/** As drizzle's own migrator does and notes it, which begins a transaction of its own: too late for the lock. */
async function apply(client: pg.Client, migrations: readonly MigrationMeta[]): Promise<void> {
  await client.query('create schema if not exists drizzle');
  await client.query(
    'create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)',
  );
  for (const { sql, hash, folderMillis } of migrations) {
    for (const statement of sql) await client.query(unqualified(statement));
    await client.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', [
      hash,
      folderMillis,
    ]);
  }
}

/**
 * Takes back the newest migration with its down file, in one transaction.
 * @returns the name of what was taken back, or undefined where nothing is left
 * @throws as `migrate` does
 */
export async function rollback(databaseUrl: string, options: MigrationOptions = {}): Promise<string | undefined> {
  return await connected(databaseUrl, options.signal, (client) =>
    inTurn(client, options, async () => {
      const found = await readState(client);
      if (found.newest === Number.NEGATIVE_INFINITY) return undefined;
      const journal = journalSchema.parse(JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')));
      const entry = journal.entries.find(({ when }) => when === found.newest);
      if (entry === undefined) {
        throw new DatabaseProblem('The newest migration of this database is not among the files here');
      }
      await workIn(client, await schemaToChange(client, found));
      await client.query(unqualified(await readFile(`${folder}/${entry.tag}.down.sql`, 'utf8')));
      await client.query('delete from drizzle.__drizzle_migrations where created_at = $1', [found.newest]);
      return entry.tag;
    }),
  );
}
