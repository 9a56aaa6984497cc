import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import type { TestApp } from './test-app.ts';

/** Every row of every table, as text, with the table's name before it. */
export async function everyRow({ deps }: Pick<TestApp, 'deps'>): Promise<string[]> {
  const tables = sql`select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  const rows: string[] = [];
  for (const { name } of await query(deps.db, z.object({ name: z.string() }), tables)) {
    const all = await query(deps.db, z.object({ row: z.string() }), sql.raw(`select t::text as row from ${name} as t`));
    rows.push(...all.map(({ row }) => `${name} ${row}`));
  }
  return rows;
}

/**
 * The rows that stay of a user who is deleted. One of `session_endings` has the user's id until the last access token has
 * expired: it refuses the token where its mark was lost.
 */
export const lastingRows = async (app: Pick<TestApp, 'deps'>): Promise<string[]> =>
  (await everyRow(app)).filter((row) => !row.startsWith('public.session_endings '));
