import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from './database.ts';

/** What the clock of the database says: milliseconds since the epoch. */
export async function readDatabaseTime(db: Database): Promise<number | undefined> {
  const rows = await query(
    db,
    z.object({ now: z.number() }),
    sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`,
  );
  return rows[0]?.now;
}
