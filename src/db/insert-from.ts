import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/** A value as a parameter of its column's type: in a `select`, Postgres does not infer it. */
function typed(table: PgTable, name: string, value: unknown): SQL {
  const column = getTableColumns(table)[name];
  if (column === undefined) throw new Error(`No column ${name}`);
  return sql`${sql.param(value, column)}::${sql.raw(column.getSQLType())}`;
}

const columnName = (table: PgTable, name: string): SQL =>
  sql`${sql.identifier(getTableColumns(table)[name]?.name ?? name)}`;

const given = (row: object): [string, unknown][] => Object.entries(row).filter(([, value]) => value !== undefined);

/**
 * The part of a statement that writes a row for each row of `source`: nothing is written where nothing changed.
 * @param overrides columns whose values come from the source
 */
export function insertFrom<Table extends PgTable>(
  table: Table,
  row: Table['$inferInsert'],
  source: SQL,
  overrides: Readonly<Record<string, SQL | undefined>> = {},
): SQL {
  const names = given({ ...row, ...overrides }).map(([name]) => name);
  const values = given(row).filter(([name]) => !(name in overrides));
  const value = (name: string) => overrides[name] ?? typed(table, name, Object.fromEntries(values)[name]);
  const columns = sql.join(
    names.map((name) => columnName(table, name)),
    sql`, `,
  );
  return sql`insert into ${table} (${columns}) select ${sql.join(names.map(value), sql`, `)} from ${source}`;
}

/** The assignments of an update: `"name" = value, …`. */
export function assignments<Table extends PgTable>(table: Table, values: Partial<Table['$inferInsert']>): SQL {
  return sql.join(
    given(values).map(([name, value]) => sql`${columnName(table, name)} = ${typed(table, name, value)}`),
    sql`, `,
  );
}
