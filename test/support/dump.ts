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
