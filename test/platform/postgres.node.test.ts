// Node only: the pool over TCP. The Worker's statements end with their HTTP request.
import { describe, expect, it } from 'vitest';
import { openPool } from '../../src/platform/postgres.ts';
import { createEmptyDatabase, withClient } from '../db/catalog.ts';

describe('a statement that takes too long', () => {
  it('is given up, cancelled in Postgres, and costs the pool no connection', async () => {
    const url = await createEmptyDatabase();
    const pool = openPool({ url, poolSize: 1, statementTime: 200 });
    await withClient(url, async (holder) => {
      await holder.query('create table held (id int)');
      await holder.query('begin; lock table held');
      await expect(pool.query('select * from held')).rejects.toThrow('Query read timeout');
      const waiting = `select 1 from pg_locks where not granted and relation = 'held'::regclass`;
      await expect.poll(async () => (await holder.query(waiting)).rowCount).toBe(0);
      await holder.query('rollback');
    });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
