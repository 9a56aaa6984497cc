import { eq, type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import { users } from '../../src/db/schema.ts';
import { taskRow } from '../../src/outbox/outbox.ts';
import { insertOutbox } from '../../src/outbox/store.ts';
import { reseal } from '../../src/reseal/reseal.ts';
import { everyRow } from '../support/dump.ts';
import { secretsTo } from '../support/mail.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const withOld = { AUTH_SECRET: olderSecret };
const withBoth = { AUTH_SECRET: testSecret, AUTH_SECRET_PREVIOUS: olderSecret };
const withNew = { AUTH_SECRET: testSecret };
const beside = ({ databaseUrl, clock }: TestApp, variables: Readonly<Record<string, string>>) =>
  testApp({ databaseUrl, clock, variables });
const never = async () => {
  throw new Error('Nothing to wait for');
};
const login = ({ request }: TestApp, identifier: string, typed = password) =>
  request('POST', '/auth/login', { body: { identifier, password: typed } });
const statusOf = async (app: TestApp, path: string, body: unknown) =>
  (await app.request('POST', path, { body })).status;
const nothingLeft = { left: 0, unreadable: 0 };

describe('reseal', () => {
  it('moves all that the old secret sealed and indexed, so that the new one is enough', async () => {
    const before = await testApp({ variables: withOld });
    const ann = await registerUser(before, { username: 'ann', name: 'Ann', phone_number: '+4915112345678' });
    const bob = await registerUser(before);
    await statusOf(before, '/auth/forgot-password', { email: bob.email });
    const changed = `new-${crypto.randomUUID()}@example.com`;
    const change = { body: { email: changed }, token: ann.access };
    await before.request('POST', '/auth/change-email', change);
    const strict = await beside(before, {
      ...withOld,
      REQUIRE_EMAIL_VERIFICATION: 'true',
      MAILBOX_URL: 'http://mail.test',
    });
    const carol = `carol-${crypto.randomUUID()}@example.com`;
    await statusOf(strict, '/auth/register', { email: carol, password });
    const during = await beside(before, withBoth);
    const result = await reseal(during.deps, never, 0);
    expect(result.tables).toMatchObject({
      users: { moved: 2, ...nothingLeft },
      one_time_tokens: nothingLeft,
      outbox: nothingLeft,
      signing_keys: { moved: 1, ...nothingLeft },
    });
    expect([result.taken, result.waitingTasks, result.strays]).toEqual([[], 0, 0]);
    const oldId = (await beside(before, withOld)).deps.keyring.newest.id;
    const rows = (await everyRow(before)).join('\n');
    // The hashes of passwords alone name the old secret, inside of what the new one sealed.
    expect(rows).not.toContain(`"${oldId}.`);
    expect(rows).not.toContain(`keyid=${oldId}`);

    const after = await beside(before, withNew);
    const signedIn = await login(after, ann.email);
    expect(signedIn.body.user).toMatchObject({
      id: ann.id,
      email: ann.email,
      name: 'Ann',
      phone_number: '+4915112345678',
    });
    expect((await login(after, 'ann', 'wrong password')).status).toBe(401);
    // Links of before go on, those of accounts and of registrations.
    const next = 'another horse battery staple';
    expect(
      await statusOf(after, '/auth/reset-password', { token: secretsTo(before, bob.email).token, password: next }),
    ).toBe(200);
    expect(await statusOf(after, '/auth/verify-email', { token: secretsTo(before, ann.email).token })).toBe(200);
    expect(await statusOf(after, '/auth/verify-email', { token: secretsTo(strict, carol).token })).toBe(200);
    expect((await login(after, carol)).body.user).toMatchObject({ email: carol });
    // Once more finds nothing.
    expect((await reseal(after.deps, never, 0)).tables.users).toEqual({ moved: 0, ...nothingLeft });
  });

  it('keeps the password of somebody who does not sign in through several secrets', async () => {
    const third = 'SDWgwM92jL13sdvEZPrAhbKtIzc18dfvKAxHeHxnvLQ=';
    const before = await testApp({ variables: withOld });
    const { id, email } = await registerUser(before);
    await reseal((await beside(before, withBoth)).deps, never, 0);
    const later = { AUTH_SECRET: third, AUTH_SECRET_PREVIOUS: testSecret };
    expect((await reseal((await beside(before, later)).deps, never, 0)).tables.users).toMatchObject({
      moved: 1,
      left: 0,
    });
    const after = await beside(before, { AUTH_SECRET: third });
    const hashOf = async () => (await after.deps.db.select().from(users).where(eq(users.id, id)))[0]?.passwordHash;
    expect(await hashOf()).toMatch(/^\$sealed\$/);
    expect((await login(after, email, 'wrong password')).status).toBe(401);
    expect((await login(after, email)).status).toBe(200);
    // From then on it has the pepper of the present secret.
    expect(await hashOf()).toMatch(/^\$argon2id\$/);
    expect((await login(after, email)).status).toBe(200);
  });

  it('overwrites nothing that the service writes meanwhile, and comes back to it', async () => {
    const before = await testApp({ variables: withOld });
    const { id, email, access } = await registerUser(before, { name: 'Ann' });
    const during = await beside(before, withBoth);
    const { db } = during.deps;
    let changes = 0;
    // Right before the first statement that writes users, somebody changes their name.
    const execute = async (statement: SQL) => {
      const { sql: text } = new PgDialect().sqlToQuery(statement);
      if (changes === 0 && text.includes('skip locked') && text.includes('"users"')) {
        changes += 1;
        const body = { name: 'Anna', surname: null, phone_number: null, locale: null };
        const put = await before.request('PUT', '/users/profile', { body, token: access });
        expect(put.status).toBe(200);
      }
      return await db.execute(statement);
    };
    const racing = new Proxy(db, { get: (target, key) => (key === 'execute' ? execute : Reflect.get(target, key)) });
    const result = await reseal({ ...during.deps, db: racing }, never, 0);
    expect(changes).toBe(1);
    expect(result.tables.users).toMatchObject({ moved: 1, ...nothingLeft });
    const after = await beside(before, withNew);
    expect((await login(after, email)).body.user).toMatchObject({ id, name: 'Anna' });
  });

  it('leaves users alone while a task waits that would no longer find its account', async () => {
    const before = await testApp({ variables: withOld });
    await registerUser(before);
    await insertOutbox(before.deps.db, [await taskRow(before.deps, 'forgot_password', {})]);
    const during = await beside(before, withBoth);
    let looks = 0;
    const look = async () => {
      looks += 1;
    };
    const waiting = await reseal(during.deps, look, 3);
    expect([looks, waiting.waitingTasks]).toEqual([3, 1]);
    expect(waiting.tables.users).toEqual({ moved: 0, left: 1, unreadable: 0 });
    const done = async () => void (await during.deps.db.execute(sql`delete from outbox where kind = 'task'`));
    expect((await reseal(during.deps, done, 3)).tables.users).toMatchObject({ moved: 1, left: 0 });
  });

  it('names accounts that share an address, moves the others, and says what it cannot open', async () => {
    const before = await testApp({ variables: withOld });
    const [ann, bob] = [await registerUser(before), await registerUser(before)];
    const during = await beside(before, withBoth);
    // As if a service with the new secret alone had run: one address, two accounts.
    const carol = await registerUser(during);
    const [row] = await during.deps.db.select().from(users).where(eq(users.id, carol.id));
    const other = await testApp({ variables: withNew });
    const twin = await registerUser(other, { email: ann.email });
    const [copy] = await other.deps.db.select().from(users).where(eq(users.id, twin.id));
    await during.deps.db
      .update(users)
      .set({ emailIndex: copy?.emailIndex ?? null })
      .where(eq(users.id, carol.id));
    await during.deps.db.update(users).set({ phoneSealed: 'unknown1.AAAA' }).where(eq(users.id, bob.id));
    const result = await reseal(during.deps, never, 0);
    expect(row?.emailIndex).not.toBe(copy?.emailIndex);
    expect(result.taken).toEqual([ann.id]);
    expect(result.tables.users).toMatchObject({ moved: 0, left: 2, unreadable: 1 });
  });
});
