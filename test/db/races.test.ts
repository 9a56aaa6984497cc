import { sql } from 'drizzle-orm';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { createPasswordHasher } from '../../src/crypto/password-hash.ts';
import { query } from '../../src/db/database.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { type Answer, createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** Every statement that writes an audit row stops there for a moment: what may meet halfway does. */
const slowDown = `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.02); return new; end';
  create trigger slow before insert on audit_log for each row execute function slow()`;

/** Two replicas on one database and one key-value store. */
async function replicas(): Promise<[TestApp, TestApp]> {
  const clock = createClock();
  const options = {
    clock,
    kv: createMemoryKeyValue(clock),
    variables: {
      LOCKOUT_ACCOUNT_ADDRESS: '1000/60/60/60',
      LIMIT_LOGIN_ADDRESS: '1000/60',
      LIMIT_WRITE_USER: '1000/60',
    },
  };
  const one = await testApp(options);
  for (const statement of slowDown.split(';\n')) await one.deps.db.execute(sql.raw(statement));
  return [one, await testApp({ ...options, databaseUrl: one.databaseUrl })];
}

const login = ({ request }: TestApp, email: string) => request('POST', '/auth/login', { body: { email, password } });
const refresh = ({ request }: TestApp, token: string) =>
  request('POST', '/auth/refresh', { body: { refresh_token: token } });
const logoutAll = ({ request }: TestApp, token: string) => request('POST', '/auth/logout-all', { token });

/** Whether a session is alive by its row: what every answer has to agree with. */
async function isAlive({ deps }: TestApp, sessionId: string): Promise<boolean> {
  const alive = sql`select 1 from sessions join users on users.id = user_id
    where sessions.id = ${sessionId}::uuid and ended_at is null and epoch = session_epoch and status = 'active'`;
  return (await query(deps.db, z.unknown(), alive)).length === 1;
}

/** Each token that was handed out works exactly where its session is alive. @returns how many do */
async function expectAgreement(apps: readonly TestApp[], handedOut: readonly Answer[]): Promise<number> {
  const [first] = apps;
  if (first === undefined) throw new Error('no application');
  let alive = 0;
  for (const { body } of handedOut.filter(({ status }) => status === 200 || status === 201)) {
    const expected = await isAlive(first, String(decodeJwt(body.access_token)['sid']));
    if (expected) alive += 1;
    for (const { request } of apps) {
      const verified = await request('GET', '/auth/verify-token', { token: body.access_token });
      expect(verified.status).toBe(expected ? 200 : 401);
    }
    expect((await refresh(first, body.refresh_token)).status).toBe(expected ? 200 : 401);
  }
  return alive;
}

const statusesOf = (answers: readonly Answer[]) => [...new Set(answers.map(({ status }) => status))].sort();

describe('at the same time', () => {
  it('sign-ins and the end of all sessions: each token works exactly where its session is alive', async () => {
    const [one, other] = await replicas();
    const user = await registerUser(one);
    for (let round = 0; round < 6; round += 1) {
      const earlier = await Promise.all([login(one, user.email), login(other, user.email)]);
      one.clock.advance(70);
      const [{ body } = { body: {} }] = earlier;
      const answers = await Promise.all([
        ...Array.from({ length: 4 }, (_, index) => login(index % 2 === 0 ? one : other, user.email)),
        logoutAll(one, body.access_token),
        logoutAll(other, body.access_token),
        ...Array.from({ length: 2 }, () => login(one, user.email)),
        ...earlier.map((answer) => refresh(other, answer.body.refresh_token)),
      ]);
      // Whoever signs in while sessions end may be told to try again, never that something broke.
      for (const status of statusesOf(answers)) expect([200, 401]).toContain(status);
      const handedOut = answers.filter((answer) => answer.body.refresh_token !== undefined);
      await expectAgreement([one, other], handedOut);
      expect(await expectAgreement([one, other], earlier)).toBe(0);
    }
  });

  it('sign-ins and a user who is disabled: nothing is left that works', async () => {
    const [one, other] = await replicas();
    for (let round = 0; round < 4; round += 1) {
      const user = await registerUser(one);
      const disable = one.deps.db.execute(sql`update users set status = 'disabled', session_epoch = session_epoch + 1
        where id = ${user.id}::uuid`);
      const answers = await Promise.all([
        ...Array.from({ length: 6 }, (_, index) => login(index % 2 === 0 ? one : other, user.email)),
        refresh(other, user.refresh),
        disable.then(() => login(one, user.email)),
      ]);
      for (const status of statusesOf(answers)) expect([200, 401]).toContain(status);
      expect(answers.at(-1)?.status).toBe(401);
      for (const { body } of answers.filter(({ status }) => status === 200)) {
        expect((await refresh(one, body.refresh_token)).status).toBe(401);
        expect((await one.request('GET', '/users/me', { token: body.access_token })).status).toBe(401);
      }
    }
  });

  it('sign-ins and a user who is deleted: nothing is left at all', async () => {
    const [one, other] = await replicas();
    const user = await registerUser(one);
    const remove = one.request('DELETE', '/users/delete-account', { token: user.access, body: { password } });
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, (_, index) => login(index % 2 === 0 ? one : other, user.email)),
      refresh(other, user.refresh),
      remove.then(() => login(one, user.email)),
    ]);
    for (const status of statusesOf(answers)) expect([200, 401]).toContain(status);
    const left = await query(one.deps.db, z.unknown(), sql`select 1 from sessions where user_id = ${user.id}::uuid`);
    expect(left).toEqual([]);
  });

  it('the end of all sessions and a user who is deleted: neither waits for the other in a circle', async () => {
    const [one, other] = await replicas();
    await one.deps.db.execute(
      sql.raw('create trigger slow before update on sessions for each row execute function slow()'),
    );
    for (let round = 0; round < 3; round += 1) {
      const user = await registerUser(one);
      await Promise.all([login(one, user.email), login(other, user.email)]);
      const [ended] = await Promise.all([
        logoutAll(other, user.access),
        new Promise((resolve) => setTimeout(resolve, 10)).then(() =>
          one.deps.db.execute(sql`delete from users where id = ${user.id}::uuid`),
        ),
      ]);
      // 401 where the deletion came first. A circle would be found by Postgres, and answered 503.
      expect([200, 401]).toContain(ended.status);
    }
  });

  it('sign-ins that upgrade the password hash: all of them succeed', async () => {
    const [one] = await replicas();
    const { databaseUrl, clock, deps } = one;
    const hasher = createPasswordHasher({
      hashing: runtime.hashing,
      peppers: deps.keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
      // A little more than those of `testApp`.
      parameters: { memory: 128, iterations: 1, parallelism: 1 },
    });
    const apps = [await testApp({ databaseUrl, clock, hasher }), await testApp({ databaseUrl, clock, hasher })];
    for (let round = 0; round < 4; round += 1) {
      const user = await registerUser(one);
      const answers = await Promise.all([...apps, ...apps, ...apps, ...apps].map((app) => login(app, user.email)));
      expect(statusesOf(answers)).toEqual([200]);
      const hash = sql`select password_hash as hash from users where id = ${user.id}::uuid`;
      const [row] = await query(deps.db, z.object({ hash: z.string() }), hash);
      expect(row?.hash).toContain('m=128');
    }
  });

  it('every way of ending and renewing sessions: no statement waits for another in a circle', async () => {
    const [one, other] = await replicas();
    const user = await registerUser(one);
    const people = await Promise.all(Array.from({ length: 8 }, () => login(one, user.email)));
    one.clock.advance(70);
    const answers = await Promise.all(
      people.flatMap(({ body }, index) => {
        const app = index % 2 === 0 ? one : other;
        const end = index % 3 === 0 ? logoutAll(app, body.access_token) : refresh(app, body.refresh_token);
        return [
          refresh(app, body.refresh_token),
          end,
          app.request('POST', '/auth/logout', { body: { refresh_token: body.refresh_token } }),
        ];
      }),
    );
    for (const status of statusesOf(answers)) expect([200, 401]).toContain(status);
    expect(await expectAgreement([one, other], people)).toBe(0);
  });

  it('registrations of one address: one of them gets it', async () => {
    const [one, other] = await replicas();
    for (const spelt of [(email: string) => ({ email }), (name: string) => ({ username: name.slice(0, 20) })]) {
      const body = { ...spelt(`${crypto.randomUUID()}@example.com`), password };
      const answers = await Promise.all(
        [one, other, one, other, one].map(({ request }) => request('POST', '/auth/register', { body })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    }
  });
});
