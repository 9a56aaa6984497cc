import type { SQL } from 'drizzle-orm';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import * as z from 'zod';

/** What both drivers have in common. Nothing calls `transaction`: Neon over HTTP has none. */
export type Database = Pick<
  PgDatabase<PgQueryResultHKT, Record<string, never>>,
  'select' | 'insert' | 'update' | 'delete' | 'execute'
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

/** Class 08: connection; 57P0x: shutting down or starting; 53: out of resources. */
const unavailableStates = /^(08...|57P0[1-5]|53...)$/;
const connectionErrors = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN)$/;
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Error connecting to database|Server error \(HTTP status 5)/;

/** Whether an error means that Postgres cannot be reached just now, and not that the statement was wrong. */
export function isUnavailable(error: unknown): boolean {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  const code = sqlState(cause)?.code;
  if (code !== undefined) return unavailableStates.test(code) || connectionErrors.test(code);
  return cause instanceof Error && (driverMessages.test(cause.message) || cause.name === 'AggregateError');
}
