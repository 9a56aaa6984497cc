import { and, eq, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { leases } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';

/** Clocks may differ by this much: milliseconds. */
const skew = 60_000;

/**
 * Takes a lease that is free or has run out; of many that ask at once, one gets it. Times are in milliseconds. One that
 * would last longer than any does was claimed by a clock that was ahead: it counts as run out.
 * @returns whether it is the caller's until `until`
 */
export async function claimLease(db: Database, name: string, now: number, until: number): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ name: z.string() }),
    sql`insert into ${leases} as l (name, until) values (${name}, ${timestamp(until)})
      on conflict (name) do update set until = excluded.until where l.until <= ${timestamp(now)} or l.until > ${timestamp(until + skew)}
      returning name`,
  );
  return rows.length === 1;
}

/**
 * Moves the end of a lease, where it is still the caller's: a holder is known by the `until` that it claimed, since
 * another one only comes to it later.
 */
export async function moveLease(db: Database, name: string, until: number, newUntil: number): Promise<void> {
  await db
    .update(leases)
    .set({ until: new Date(newUntil) })
    .where(and(eq(leases.name, name), eq(leases.until, new Date(until))));
}
