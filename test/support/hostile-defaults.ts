import { sql } from 'drizzle-orm';
import type { Database } from '../../src/db/database.ts';

/** Nothing here is what Postgres comes with. */
const hostileDefaults = [
  `datestyle = 'SQL, DMY'`,
  `timezone = 'America/St_Johns'`,
  `intervalstyle = 'sql_standard'`,
  `bytea_output = 'escape'`,
  'standard_conforming_strings = off',
  'backslash_quote = off',
  'extra_float_digits = -15',
  `default_transaction_isolation = 'serializable'`,
  'default_transaction_deferrable = on',
  'search_path = edge, public',
] as const;
/** Those that the machine has not are left out. */
const locales = ['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time'].map((name) => `${name} = 'de_DE.UTF-8'`);

/** Makes these the defaults of a database, for sessions that begin later. Nobody gets this database after the test. */
export async function makeHostile(db: Database, name: string): Promise<void> {
  for (const setting of hostileDefaults) await db.execute(sql.raw(`alter database ${name} set ${setting}`));
  for (const locale of locales) {
    await db.execute(sql.raw(`alter database ${name} set ${locale}`)).catch(() => undefined);
  }
  // What differs in its schema from the template is not handed out again.
  await db.execute(sql.raw('create schema if not exists edge'));
  await db.execute(sql.raw('create table public.not_for_others (id int)'));
}
