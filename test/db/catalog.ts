import pg from 'pg';
import { inject } from 'vitest';

/** A database without tables, of the test's own. */
export async function createEmptyDatabase(): Promise<string> {
  const response = await fetch(`${inject('databaseServer')}?empty`, { method: 'POST' });
  if (!response.ok) throw new Error(await response.text());
  return await response.text();
}

/** A database as an older service names it: by its parts. */
export function databaseByParts(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const [DB_USER, DB_PASSWORD] = [decodeURIComponent(username), decodeURIComponent(password)];
  return { DB_HOST: hostname, DB_PORT: port, DB_USER, DB_PASSWORD, DB_TABLE: pathname.slice(1) };
}

/** Runs statements over a connection that is closed again. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Whatever stands outside Postgres' own schemas, and outside the one where drizzle notes what it has applied. */
const isOurs = "nspname !~ '^(pg_|information_schema$|drizzle$)'";
const inOurs = (namespace: string) => `${namespace} in (select oid from pg_namespace where ${isOurs})`;

/**
 * What the catalog says of every object: one line each, made so that equal schemas give equal lists. Columns are told
 * by name and not by position, since a column added later stands last.
 */
const questions: Readonly<Record<string, string>> = {
  schemas: `select nspname as what from pg_namespace where ${isOurs}`,
  relations: `select format('%s %s %s rls:%s', oid::regclass, relkind, relpersistence, relrowsecurity) as what
    from pg_class where ${inOurs('relnamespace')}`,
  columns: `select format('%s.%s %s not null:%s default:%s identity:%s generated:%s collation:%s', attrelid::regclass,
      attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity, attgenerated,
      attcollation::regcollation) as what
    from pg_attribute join pg_class on pg_class.oid = attrelid
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm') and ${inOurs('relnamespace')}`,
  constraints: `select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as what
    from pg_constraint where ${inOurs('connamespace')}`,
  indexes: `select format('%s valid:%s', pg_get_indexdef(indexrelid), indisvalid) as what
    from pg_index join pg_class on pg_class.oid = indexrelid where ${inOurs('relnamespace')}`,
  types: `select format('%s %s %s', oid::regtype, typtype,
      (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = pg_type.oid)) as what
    from pg_type where ${inOurs('typnamespace')}`,
  functions: `select format('%s %s', oid::regprocedure, prosrc) as what
    from pg_proc where ${inOurs('pronamespace')}`,
  triggers: `select pg_get_triggerdef(pg_trigger.oid) as what
    from pg_trigger join pg_class on pg_class.oid = tgrelid where not tgisinternal and ${inOurs('relnamespace')}`,
  policies: `select format('%s %s', polrelid::regclass, polname) as what
    from pg_policy join pg_class on pg_class.oid = polrelid where ${inOurs('relnamespace')}`,
  extensions: 'select extname as what from pg_extension',
};

export type Schema = Readonly<Record<string, readonly string[]>>;

/** Everything there is in a database, besides data. */
export async function describeSchema(url: string): Promise<Schema> {
  return await withClient(url, async (client) => {
    const found: Record<string, string[]> = {};
    for (const [kind, question] of Object.entries(questions)) {
      const { rows } = await client.query<{ what: string }>(question);
      found[kind] = rows.map(({ what }) => what).sort();
    }
    return found;
  });
}
