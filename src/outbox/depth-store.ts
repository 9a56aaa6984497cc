import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { outbox } from '../db/schema.ts';
import { milliseconds } from '../db/sql.ts';

const depth = z.object({
  kind: z.string(),
  /** Of events; empty for all else. */
  sink: z.string(),
  dead: z.boolean(),
  rows: z.int(),
  /** Milliseconds since the epoch. */
  oldest: z.number(),
});

export type OutboxDepth = z.output<typeof depth>;

/** How many rows wait or were given up, and when the oldest was written. */
export async function readOutboxDepth(db: Database): Promise<OutboxDepth[]> {
  return await query(
    db,
    depth,
    sql`select kind, coalesce(sink, '') as sink, dead, count(*)::int as rows,
      ${milliseconds(sql`min(created_at)`)} as oldest
    from ${outbox} where delivered_at is null group by kind, coalesce(sink, ''), dead`,
  );
}
