import pg from 'pg';
import * as z from 'zod';

/** A parameter as JSON; the driver sends text and null, others may send the rest. */
const parameter = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.unknown()),
  z.record(z.string(), z.unknown()),
]);

const statement = z.object({
  query: z.string(),
  params: z.array(parameter).default([]),
  arrayMode: z.boolean().optional(),
});

/** What `POST /sql` takes: one statement, or several to run in one transaction. */
export const sqlRequest = z.union([z.object({ queries: z.array(statement) }), statement]);

export type Statement = z.infer<typeof statement>;

const isolationLevels = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
} as const;

/** The headers that steer a request, in Neon's own reading: only a literal `true` is true. */
export const sqlHeaders = z.object({
  'neon-connection-string': z.string(),
  'neon-raw-text-output': z.literal('true', { error: 'only raw text output is offered here' }),
  'neon-array-mode': z.string().optional().transform(isTrue),
  'neon-batch-isolation-level': z
    .enum(['ReadUncommitted', 'ReadCommitted', 'RepeatableRead', 'Serializable'], { error: 'invalid isolation level' })
    .optional(),
  'neon-batch-read-only': z.string().optional().transform(isTrue),
  'neon-batch-deferrable': z.string().optional().transform(isTrue),
});

export type SqlHeaders = z.infer<typeof sqlHeaders>;

function isTrue(value: string | undefined): boolean {
  return value === 'true';
}

/** The statement that opens a batch's transaction. */
export function beginStatement(headers: SqlHeaders): string {
  const level = headers['neon-batch-isolation-level'];
  return [
    'BEGIN',
    level === undefined ? '' : `ISOLATION LEVEL ${isolationLevels[level]}`,
    headers['neon-batch-read-only'] ? 'READ ONLY' : '',
    headers['neon-batch-deferrable'] ? 'DEFERRABLE' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** A result as the driver expects it: node-postgres' shape with every value as text. */
export function resultBody(result: pg.QueryArrayResult<(string | null)[]>, arrayMode: boolean) {
  const names = result.fields.map((field) => field.name);
  return {
    // A statement without words (only a comment) has no command.
    command: result.command ?? '',
    rowCount: result.rowCount,
    rows: arrayMode
      ? result.rows
      : result.rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index] ?? '', value]))),
    fields: result.fields.map(({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }) => ({
      name,
      dataTypeID,
      tableID,
      columnID,
      dataTypeSize,
      dataTypeModifier,
      format: 'text',
    })),
    rowAsArray: arrayMode,
  };
}

/** An error as Neon words it: what Postgres said, field by field, and null where it said nothing. */
export function errorBody(error: unknown) {
  const said: Partial<pg.DatabaseError> = error instanceof pg.DatabaseError ? error : {};
  return {
    message: error instanceof Error ? error.message : 'unknown error',
    code: said.code ?? null,
    detail: said.detail ?? null,
    hint: said.hint ?? null,
    position: said.position ?? null,
    internalPosition: said.internalPosition ?? null,
    internalQuery: said.internalQuery ?? null,
    severity: said.severity ?? null,
    where: said.where ?? null,
    table: said.table ?? null,
    column: said.column ?? null,
    schema: said.schema ?? null,
    dataType: said.dataType ?? null,
    constraint: said.constraint ?? null,
    file: said.file ?? null,
    line: said.line ?? null,
    routine: said.routine ?? null,
  };
}
