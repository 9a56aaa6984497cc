import { getTableName, isTable } from 'drizzle-orm';
import type pg from 'pg';
import * as z from 'zod';
import * as schema from '../db/schema.ts';
import { DatabaseProblem } from './postgres-reasons.ts';

/** The names of all tables of this service. */
export const tables = Object.values(schema)
  .filter((value) => isTable(value))
  .map(getTableName);

const state = z.object({
  role: z.string(),
  database: z.string(),
  /** Where new tables go; null where the search path names no schema that exists. */
  schema: z.string().nullable(),
  search_path: z.string(),
  /** Whether the list of applied migrations exists, and whether the role reads it. */
  noted: z.boolean(),
  readable: z.boolean(),
  may_create: z.boolean(),
});
export type SchemaState = z.output<typeof state> & {
  /** When the newest migration that the database has was made: milliseconds. */
  readonly newest: number;
};

/** What the database says of itself and of its migrations. */
export async function readState(client: pg.Client): Promise<SchemaState> {
  // By the catalog, which everybody reads: to name a schema takes a privilege.
  const { rows } = await client.query(`select current_user::text as role, current_database()::text as database,
      current_schema()::text as schema, current_setting('search_path') as search_path, n.oid is not null as noted,
      coalesce(has_schema_privilege(n.oid, 'usage')
        and has_table_privilege(c.oid, 'select'), false) as readable,
      coalesce(has_schema_privilege(current_schema(), 'create'), false)
        and (n.oid is not null or has_database_privilege(current_database(), 'create')) as may_create
    from (select) as one left join (pg_namespace as n join pg_class as c on c.relnamespace = n.oid
      and c.relname = '__drizzle_migrations') on n.nspname = 'drizzle'`);
  const found = state.parse(rows[0]);
  if (!found.noted) return { ...found, newest: Number.NEGATIVE_INFINITY };
  if (!found.readable) {
    throw new DatabaseProblem(
      `The role "${found.role}" may not read which migrations the database "${found.database}" has: let its owner run \`npm run db:migrate -- --grant ${found.role}\`, or set MIGRATE_ON_START=false`,
      '42501',
    );
  }
  const newest = await client.query('select max(created_at)::text as newest from drizzle.__drizzle_migrations');
  return { ...found, newest: Number(newest.rows[0]?.newest ?? Number.NEGATIVE_INFINITY) };
}

/** Where the tables of this service are, as an unqualified name finds them: a schema for each. */
async function tablesFound(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query(
    `select t.name, n.nspname::text as schema from unnest($1::text[]) as t (name)
      join pg_class as c on c.oid = to_regclass(quote_ident(t.name)) join pg_namespace as n on n.oid = c.relnamespace`,
    [tables],
  );
  return new Map(
    z
      .array(z.object({ name: z.string(), schema: z.string() }))
      .parse(rows)
      .map((r) => [r.name, r.schema]),
  );
}

/**
 * The schema in which migrations work: that of the tables, or where the first ones are to go.
 * @throws {DatabaseProblem} where the role cannot change it, or where tables of others are in the way
 */
export async function schemaToChange(client: pg.Client, found: SchemaState): Promise<string> {
  const { role, database, schema: current, newest } = found;
  const existing = await tablesFound(client);
  const isNew = newest === Number.NEGATIVE_INFINITY;
  const target = isNew ? current : (existing.get('users') ?? null);
  if (target === null) throw new DatabaseProblem(await outOfSight(client, found), '3F000');
  const foreign = isNew ? [...existing].filter(([, where]) => where === target).map(([name]) => name) : [];
  if (foreign.length > 0) {
    throw new DatabaseProblem(
      `The schema "${target}" of the database "${database}" has a table "${foreign.sort()[0]}" that is not of this service: give the service a database of its own, or a schema of its own (create schema auth authorization "${role}"; alter role "${role}" in database "${database}" set search_path = auth)`,
      '42P07',
    );
  }
  if (isNew && !found.may_create) {
    throw new DatabaseProblem(
      `The database "${database}" has no tables of this service yet, and the role "${role}" may not create them: run \`npm run db:migrate\` with the address of the owner in DATABASE_URL`,
      '42501',
    );
  }
  return target;
}

/**
 * Looks whether statements find the tables, all in one schema.
 * @throws {DatabaseProblem} where the search path of the role leads elsewhere
 */
export async function checkTablesInSight(client: pg.Client, found: SchemaState): Promise<void> {
  const existing = await tablesFound(client);
  const schemas = new Set(existing.values());
  if (existing.size < tables.length || schemas.size !== 1) {
    throw new DatabaseProblem(await outOfSight(client, found), '42P01');
  }
}

async function outOfSight(client: pg.Client, { role, database, search_path }: SchemaState): Promise<string> {
  const { rows } = await client.query(
    `select n.nspname::text as schema from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where c.relname = 'signing_keys' and c.relkind = 'r' order by 1`,
  );
  const where = z.array(z.object({ schema: z.string() })).parse(rows)[0]?.schema ?? 'public';
  return `The search path of the role "${role}" (${search_path === '' ? 'empty' : search_path}) does not lead to the tables: alter role "${role}" in database "${database}" set search_path = "${where}"`;
}
