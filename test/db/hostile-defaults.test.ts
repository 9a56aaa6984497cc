import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { runtime } from '#test-runtime';
import { liveThere } from '../support/everyday-life.ts';
import { makeHostile } from '../support/hostile-defaults.ts';
import { createDatabase } from '../support/test-app.ts';

describe('a database whose defaults are all different', () => {
  it('serves people and admins as every other one does', async () => {
    const url = await createDatabase();
    const { db, close } = runtime.openDatabase({ url, logger: { logQuery: () => undefined } });
    await makeHostile(db, new URL(url).pathname.slice(1));
    // A connection keeps the defaults that it began with: all end, this one last, since it could not go on.
    const others = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await db.execute(others);
    await db.execute(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => undefined);
    await close();
    // Connections that ended are noticed one after the other.
    const kept = runtime.openDatabase({ url, logger: { logQuery: () => undefined }, isKept: true });
    const style = sql`select current_setting('datestyle') as style`;
    const asked = async () => JSON.stringify(await Promise.all([1, 2, 3, 4].map(() => kept.db.execute(style))));
    await expect.poll(() => asked().catch(String)).toContain('SQL, DMY');
    await liveThere(url);
  });
});
