import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from './database.ts';
import { milliseconds } from './sql.ts';

/** What the clock of the database says: milliseconds since the epoch. */
export async function readDatabaseTime(db: Database): Promise<number | undefined> {
  const rows = await query(
    db,
    z.object({ now: z.number() }),
    sql`select ${milliseconds(sql`clock_timestamp()`)} as now`,
  );
  return rows[0]?.now;
}
