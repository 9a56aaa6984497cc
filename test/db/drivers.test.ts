import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { type Database, query } from '../../src/db/database.ts';
import { signingKeys, users } from '../../src/db/schema.ts';
import { type Clock, createDatabase, registerUser, type TestApp, testApp } from '../support/test-app.ts';

async function openDatabase(settings: readonly string[] = []): Promise<{ db: Database; close(): Promise<void> }> {
  const url = await createDatabase('keyless');
  const open = () => runtime.openDatabase({ url, logger: { logQuery: () => undefined } });
  const first = open();
  const name = new URL(url).pathname.slice(1);
  for (const setting of settings) await first.db.execute(sql.raw(`alter database ${name} set ${setting}`));
  await first.close();
  return open();
}

describe('both drivers read what they have written', () => {
  const instants = [
    '2026-11-22T08:05:03.000Z',
    '2026-11-22T08:05:03.001Z',
    '2026-11-22T08:05:03.100Z',
    '2026-11-22T08:05:03.120Z',
    '2026-11-22T23:59:59.999Z',
    '1970-01-01T00:00:00.000Z',
    '2028-02-29T12:00:00.500Z',
    '9999-12-31T23:59:59.999Z',
  ];

  it.each([['UTC'], ['Asia/Kolkata'], ['America/St_Johns']])(
    'times to the millisecond, in a database that lives in %s',
    async (timezone) => {
      const { db, close } = await openDatabase([`timezone = '${timezone}'`]);
      const rows = instants.map((instant, ordinal) => {
        const time = new Date(instant);
        return { ordinal, kid: instant, publicJwk: { n: 1 }, privateSealed: '', signsFrom: time, createdAt: time };
      });
      await db.insert(signingKeys).values(rows);
      expect(await db.select().from(signingKeys).orderBy(signingKeys.ordinal)).toEqual(rows);
      const milliseconds = await query(
        db,
        z.object({ at: z.number() }),
        sql`select (extract(epoch from signs_from) * 1000)::float8 as at from signing_keys
          where signs_from <= ${'9999-12-31T23:59:59.999Z'}::timestamptz order by ordinal`,
      );
      expect(milliseconds.map(({ at }) => at)).toEqual(instants.map((instant) => Date.parse(instant)));
      await close();
    },
  );

  it('texts of any script, lists, nulls and numbers', async () => {
    const { db, close } = await openDatabase();
    const time = new Date();
    const row = {
      id: crypto.randomUUID(),
      usernameSkeleton: null,
      username: `'"\\ {a,b} NULL $1 при 🙂 \u{feff}`,
      usernameKey: '',
      roles: ['user', 'a,b', '"quoted"', '{}', 'null', 'back\\slash', ''],
      sessionEpoch: 2 ** 31 - 1,
      createdAt: time,
      updatedAt: time,
    };
    await db.insert(users).values(row);
    const [found] = await db.select().from(users);
    expect(found).toEqual({
      ...row,
      rolesChangedAt: null,
      emailIndex: null,
      emailSealed: null,
      emailVerifiedAt: null,
      phoneIndex: null,
      phoneSealed: null,
      profileSealed: null,
      passwordHash: null,
      locale: null,
      version: 0,
      status: 'active',
    });
    const raw = z.object({ roles: z.array(z.string()), epoch: z.number(), none: z.null(), yes: z.boolean() });
    const [selected] = await query(
      db,
      raw,
      sql`select roles, session_epoch as epoch, email_index as none, status = ${'active'} as yes from users`,
    );
    expect(selected).toEqual({ roles: row.roles, epoch: row.sessionEpoch, none: null, yes: true });
    await close();
  });
});

describe('a session ends to the millisecond', () => {
  const ttl = 3600_000;
  const idle = 600_000;

  async function open(): Promise<{ app: TestApp; at: (milliseconds: number) => void }> {
    const start = Date.UTC(2026, 10, 22, 8, 5, 3, 456);
    let time = start;
    const clock: Clock = { now: () => time, advance: () => undefined };
    const variables = { SESSION_TTL: '3600', SESSION_IDLE_TTL: '600' };
    return {
      app: await testApp({ clock, variables }),
      at(milliseconds) {
        time = start + milliseconds;
      },
    };
  }
  const refresh = ({ request }: TestApp, token: string) =>
    request('POST', '/auth/refresh', { body: { refresh_token: token } });

  it('when it was idle for too long', async () => {
    const { app, at } = await open();
    const [early, late] = [await registerUser(app), await registerUser(app)];
    at(idle - 1);
    expect((await refresh(app, early.refresh)).status).toBe(200);
    at(idle);
    expect((await refresh(app, late.refresh)).status).toBe(401);
  });

  it('when its time is over, however busy it was', async () => {
    const { app, at } = await open();
    let { refresh: token } = await registerUser(app);
    const next = async (milliseconds: number) => {
      at(milliseconds);
      const answer = await refresh(app, token);
      if (answer.status === 200) token = answer.body.refresh_token;
      return [answer.status, answer.body.refresh_token_expires_in];
    };
    for (let time = idle / 2; time < ttl; time += idle / 2) await next(time);
    expect(await next(ttl - 60_000)).toEqual([200, 60]);
    expect(await next(ttl - 1)).toEqual([200, 0]);
    expect(await next(ttl)).toEqual([401, undefined]);
  });
});
