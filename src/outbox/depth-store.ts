import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { outbox } from '../db/schema.ts';

const depth = z.object({
  kind: z.string(),
  dead: z.boolean(),
  rows: z.int(),
  /** Milliseconds since the epoch. */
  oldest: z.number(),
});

export type OutboxDepth = z.output<typeof depth>;

export const outboxKinds = outbox.kind.enumValues;

/** How many rows wait or were given up, and when the oldest was written. A further column to tell them apart by goes into `by`. */
export async function readOutboxDepth(db: Database): Promise<OutboxDepth[]> {
  const by = sql`kind, dead`;
  return await query(
    db,
    depth,
    sql`select ${by}, count(*)::int as rows, (extract(epoch from min(created_at)) * 1000)::float8 as oldest
    from ${outbox} where delivered_at is null group by ${by}`,
  );
}
