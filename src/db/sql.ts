import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type PgTable, PgTimestamp } from 'drizzle-orm/pg-core';

/** A moment of ours in a statement: milliseconds since the epoch. */
export const timestamp = (time: number): SQL => sql`${new Date(time).toISOString()}::timestamptz`;

/**
 * A time as a number of milliseconds. Neither DateStyle nor TimeZone changes it, and as JSON no setting rounds it
 * (`extra_float_digits` does that to floats). Both drivers read it as a number.
 */
export const milliseconds = (time: SQL): SQL => sql`to_jsonb((date_part('epoch', ${time}) * 1000)::int8)`;

/** The same of how long it is from one time to another. */
export const millisecondsBetween = (from: SQL, to: SQL): SQL =>
  sql`to_jsonb((date_part('epoch', ${to} - ${from}) * 1000)::int8)`;

/** How long it is from one time to another. Their difference has days, which TimeZone can make 23 or 25 hours long. */
export const duration = (from: SQL, to: SQL): SQL => sql`make_interval(secs => date_part('epoch', ${to} - ${from}))`;

const read = (time: unknown): Date => new Date(Number(time));

/**
 * All columns of a table, for `select` and `returning`. Times arrive as milliseconds and become dates: as text they
 * have the form that the database, or the role, prefers.
 */
export function columnsOf<Table extends PgTable>(table: Table): Table['_']['columns'] {
  const columns = getTableColumns(table);
  const times = Object.entries(columns)
    .filter(([, column]) => column instanceof PgTimestamp)
    .map(([name, column]) => [name, milliseconds(sql`${column}`).mapWith(read).as(column.name)]);
  return Object.assign({ ...columns }, Object.fromEntries(times));
}
