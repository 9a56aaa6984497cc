import { sql } from 'drizzle-orm';
import { describe, it } from 'vitest';
import { runtime } from '#test-runtime';
import { liveThere } from '../support/everyday-life.ts';
import { makeHostile } from '../support/hostile-defaults.ts';
import { createDatabase } from '../support/test-app.ts';

describe('a database whose defaults are all different', () => {
  it('serves people and admins as every other one does', async () => {
    const url = await createDatabase();
    const { db, close } = runtime.openDatabase({ url, logger: { logQuery: () => undefined } });
    await makeHostile(db, new URL(url).pathname.slice(1));
    // What keeps a connection keeps the defaults it began with.
    const begun = sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()`;
    await db.execute(begun).catch(() => undefined);
    await close();
    await liveThere(url, 'SQL, DMY');
  });
});
