import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { runtime } from '#test-runtime';
import { createDatabase, testApp } from '../support/test-app.ts';

describe('readiness', () => {
  it('tells a database that takes reads alone from one that takes writes', async () => {
    const databaseUrl = await createDatabase();
    const name = new URL(databaseUrl).pathname.slice(1);
    const other = runtime.openDatabase({ url: await createDatabase(), logger: { logQuery: () => undefined } });
    const set = async (text: string) => {
      await other.db.execute(sql.raw(`alter database ${name} ${text}`));
      // Connections keep what they began with.
      await other.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`);
    };
    await set('set default_transaction_read_only = on');
    const app = await testApp({ databaseUrl });
    const ready = async () => {
      const { status, body } = await app.request('GET', '/readyz');
      return [status, body.status, body.dependencies.database.status];
    };
    await expect.poll(ready).toEqual([503, 'unavailable', 'read_only']);
    await set('reset default_transaction_read_only');
    await expect.poll(ready).toEqual([200, 'ready', 'up']);
    // It is asked to write every few seconds, and to read in between.
    await set('set default_transaction_read_only = on');
    app.clock.advance(6);
    await expect.poll(ready).toEqual([503, 'unavailable', 'read_only']);
    await set('reset default_transaction_read_only');
    await other.close();
  });

  it('leaves nothing behind in the database', async () => {
    const app = await testApp();
    const tables = async () => JSON.stringify(await app.deps.db.execute(sql`select count(*)::int from pg_class`));
    await app.request('GET', '/readyz');
    const before = await tables();
    app.clock.advance(6);
    expect((await app.request('GET', '/readyz')).status).toBe(200);
    expect(app.statements.some(({ sql: text }) => text.includes('create temporary table'))).toBe(true);
    expect(await tables()).toBe(before);
  });
});
