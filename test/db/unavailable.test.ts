import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { type Database, isUnavailable, query, sqlState } from '../../src/db/database.ts';
import { createNeon } from '../../src/platform/neon.ts';
import { createDatabase } from '../support/test-app.ts';

/** What a statement was rejected with. */
async function failureOf(statement: Promise<unknown>): Promise<unknown> {
  return await statement.then(
    () => expect.unreachable('The statement went through'),
    (error: unknown) => error,
  );
}

describe('an error of Postgres, as the driver throws it', () => {
  let db: Database;
  beforeAll(async () => {
    const database = runtime.openDatabase({
      url: await createDatabase('keyless'),
      logger: { logQuery: () => undefined },
    });
    db = database.db;
    return database.close;
  });
  const raise = (state: string) =>
    failureOf(db.execute(sql.raw(`do $$ begin raise exception 'secret' using errcode = '${state}'; end $$`)));

  it.each([
    ['08006', 'connection failure'],
    ['08P01', 'protocol violation: what Neon says when it cancels'],
    ['25006', 'read-only: the primary has become a replica'],
    ['28P01', 'invalid password'],
    ['28000', 'invalid authorization'],
    ['3D000', 'no such database'],
    ['40001', 'serialization failure'],
    ['40P01', 'deadlock'],
    ['53100', 'disk full'],
    ['53300', 'too many connections'],
    ['55000', 'the database takes no connections'],
    ['55P03', 'lock not available'],
    ['57014', 'cancelled, by a time-out as a rule'],
    ['57P01', 'shutting down'],
    ['57P03', 'starting'],
    ['57P04', 'the database was dropped'],
    ['58030', 'disk failure'],
  ])('means "try again" with %s (%s)', async (state) => {
    const error = await raise(state);
    expect(sqlState(error)).toMatchObject({ code: state });
    expect(isUnavailable(error)).toBe(true);
  });

  it.each([
    ['40P01', 3],
    ['40001', 12],
  ])('a statement that Postgres rolls back (%s) begins at most %d times', async (state, most) => {
    await db.execute(sql.raw(`create sequence if not exists met${most}`));
    await db.execute(
      sql.raw(`create function meet${most}(most int) returns int language plpgsql as $$
        declare n int := nextval('met${most}'); begin
        if n <= most then raise exception 'circle' using errcode = '${state}'; end if; return n; end $$`),
    );
    const row = z.object({ met: z.int() });
    const meet = (often: number) => query(db, row, sql`select ${sql.raw(`meet${most}`)}(${often}) as met`);
    expect(await meet(2)).toEqual([{ met: 3 }]);
    expect(isUnavailable(await failureOf(meet(100)))).toBe(true);
    expect(await meet(0)).toEqual([{ met: 3 + most + 1 }]);
  });

  it.each([
    ['22P02', 'invalid text for a type'],
    ['23502', 'null where none may be'],
    ['23505', 'not unique'],
    ['42501', 'no permission'],
    ['42601', 'syntax error'],
    ['42P01', 'no such table'],
    ['P0001', 'raised'],
    ['XX000', 'internal error'],
  ])('is an answer with %s (%s)', async (state) => {
    const error = await raise(state);
    expect(sqlState(error)).toMatchObject({ code: state });
    expect(isUnavailable(error)).toBe(false);
  });

  it('names the constraint that a statement broke', async () => {
    const insert = sql`insert into signing_keys values (1, 'a', '{}', '', now(), now())`;
    await db.execute(insert);
    expect(sqlState(await failureOf(db.execute(insert)))).toEqual({ code: '23505', constraint: 'signing_keys_pkey' });
  });

  it('is none when a statement was never sent', async () => {
    expect(isUnavailable(new Error('Connection terminated'))).toBe(false);
    expect(isUnavailable(undefined)).toBe(false);
  });
});

/** The Neon driver runs on both runtimes; the answers are those of Neon's proxy (proxy/src/serverless). */
describe('an answer of the Neon endpoint', () => {
  afterEach(() => void vi.unstubAllGlobals());
  const db = createNeon({ url: 'postgres://user:secret@db.test/name', endpoint: inject('neonEndpoint') });
  const ask = (answer: () => Response | Promise<Response>) => {
    vi.stubGlobal('fetch', async () => answer());
    return failureOf(db.execute(sql`select 1`));
  };
  const said = (fields: object) => () => Response.json({ message: 'secret', ...fields }, { status: 400 });

  it.each<[string, () => Response | Promise<Response>]>([
    ['that it cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
    ['that comes too late', () => Promise.reject(new DOMException('too late', 'TimeoutError'))],
    ['that breaks off', () => new Response(new ReadableStream({ start: (body) => body.error(new TypeError('lost')) }))],
    ['that is the page of a proxy', () => new Response('<h1>Welcome</h1>')],
    ['that is the error page of a proxy', () => new Response('<h1>Bad gateway</h1>', { status: 502 })],
    ['that there are too many requests', () => new Response('{}', { status: 429 })],
    ['that its control plane failed', () => Response.json({ message: 'x', code: '' }, { status: 500 })],
    // Neon answers 400 with an empty code when it lost the connection to Postgres, or did not get one.
    ['that the connection to Postgres closed', said({ code: '', severity: '' })],
    ['that it has no code for', said({ code: null })],
    ['that Postgres is shutting down', said({ code: '57P01', severity: 'FATAL' })],
  ])('means "try again": one %s', async (_, answer) => {
    expect(isUnavailable(await ask(answer))).toBe(true);
  });

  it.each([['23505'], ['42P01']])('is an answer of Postgres with a state (%s)', async (code) => {
    const error = await ask(said({ code, constraint: 'users_username_key' }));
    expect(sqlState(error)).toEqual({ code, constraint: 'users_username_key' });
    expect(isUnavailable(error)).toBe(false);
  });
});
