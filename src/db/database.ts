import type { SQL } from 'drizzle-orm';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import * as z from 'zod';

/** What both drivers have in common. Nothing calls `transaction`: Neon over HTTP has none. */
export type Database = Pick<
  PgDatabase<PgQueryResultHKT, Record<string, never>>,
  'select' | 'insert' | 'update' | 'delete' | 'execute' | 'with' | '$with'
>;

/**
 * Runs one statement and parses its rows. Times are selected as milliseconds (`milliseconds()`), because the two
 * drivers read a raw timestamp differently.
 */
export async function query<Row extends z.ZodType>(db: Database, row: Row, statement: SQL): Promise<z.output<Row>[]> {
  const result: unknown = await db.execute(statement);
  return z.object({ rows: z.array(row) }).parse(result).rows;
}

const errorFields = z.object({ code: z.string(), constraint: z.string().optional() });

/** The SQLSTATE of a failed statement and the constraint it broke, whichever driver said so. */
export function sqlState(error: unknown): { code: string; constraint?: string | undefined } | undefined {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  return errorFields.safeParse(cause).data;
}

/**
 * 08: connection; 25006: a replica where the primary should be; 28 and 3D000: not let in; 40: rolled back in favour of
 * another; 53: out of resources; 55000: takes no connections; 55P03 and 57014: waited too long; 57P0x: shutting down or
 * starting; 58: its own system failed.
 */
const unavailableStates = /^(08...|25006|28...|3D000|40...|53...|55000|55P03|57014|57P0[1-5]|58...)$/;
/** Their classes are digits, F0, HV, P0 and XX: no name of a system error (`EPIPE`) looks so. */
const sqlStateShape = /^[0-5FHPX][0-9A-Z]{4}$/;

/** Whether an error means that Postgres cannot be reached or cannot answer just now, and not that we asked wrongly. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof DrizzleQueryError)) return false;
  const code = sqlState(error)?.code ?? '';
  if (sqlStateShape.test(code)) return unavailableStates.test(code);
  // Postgres gives each error a state. One without comes from the way there: refused, lost, too slow, answered by a
  // proxy. Only a value that the driver could not send is our own mistake.
  return !(error.cause instanceof TypeError || error.cause instanceof RangeError);
}
