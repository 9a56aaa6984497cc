import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { blindIndexes } from '../../src/crypto/blind-index.ts';
import { query } from '../../src/db/database.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { createStatementFaults } from '../support/statement-faults.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

type Person = Awaited<ReturnType<typeof registerUser>>;

const counted = z.object({ count: z.number() });
const countOf = async ({ deps }: TestApp, table: string) =>
  (await query(deps.db, counted, sql`select count(*)::int as count from ${sql.identifier(table)}`))[0]?.count;

/** A process that has not read the signing keys yet, and fails to once, beside one that has. */
async function coldBeside(warm: TestApp): Promise<TestApp> {
  const faults = createStatementFaults();
  faults.loseAnswer('signing_keys');
  return await testApp({ databaseUrl: warm.databaseUrl, clock: warm.clock, wrapDatabase: faults.wrap });
}

it('a registration that fails for want of a signing key has made no account', async () => {
  const warm = await testApp();
  const cold = await coldBeside(warm);
  const body = { username: 'ann', password };
  expect((await cold.request('POST', '/auth/register', { body })).status).toBe(503);
  expect((await cold.request('POST', '/auth/register', { body })).status).toBe(201);
});

it('a sign-in that fails for want of a signing key has started no session', async () => {
  const warm = await testApp();
  const { email } = await registerUser(warm);
  const cold = await coldBeside(warm);
  const login = { body: { email, password } };
  const before = await countOf(warm, 'sessions');
  expect((await cold.request('POST', '/auth/login', login)).status).toBe(503);
  expect(await countOf(warm, 'sessions')).toBe(before);
  expect((await cold.request('POST', '/auth/login', login)).status).toBe(200);
});

it('an account is gone, and the answer says so, though what follows fails', async () => {
  const faults = createStatementFaults();
  const app = await testApp({ wrapDatabase: faults.wrap });
  const { access } = await registerUser(app);
  faults.loseAnswer('with gone as');
  expect((await app.request('DELETE', '/users/delete-account', { token: access, body: { password } })).status).toBe(
    200,
  );
});

it('a sign-in goes well though the surplus sessions cannot be ended just now', async () => {
  const faults = createStatementFaults();
  const app = await testApp({ wrapDatabase: faults.wrap, variables: { MAX_SESSIONS: '1' } });
  const { email } = await registerUser(app);
  faults.loseAnswer("'session_limit'");
  expect((await app.request('POST', '/auth/login', { body: { email, password } })).status).toBe(200);
});

/** Before the next comparison of a password something happens, after the row was read. */
async function withMeanwhile(
  app: TestApp,
): Promise<{ readonly slow: TestApp; next: (() => Promise<unknown>) | undefined }> {
  const { databaseUrl, clock, deps } = app;
  const meanwhile: { slow: TestApp; next: (() => Promise<unknown>) | undefined } = { slow: app, next: undefined };
  const verify: TestApp['deps']['hasher']['verify'] = async (...asked) => {
    const happen = meanwhile.next;
    meanwhile.next = undefined;
    await happen?.();
    return await deps.hasher.verify(...asked);
  };
  meanwhile.slow = await testApp({ databaseUrl, clock, hasher: { ...deps.hasher, verify } });
  return meanwhile;
}

it.each<[string, (app: TestApp, person: Person) => Promise<{ status: number }>]>([
  [
    'reauthenticating',
    ({ request }, { access }) => request('POST', '/auth/reauthenticate', { token: access, body: { password } }),
  ],
  [
    'changing it',
    ({ request }, { access }) =>
      request('POST', '/users/change-password', {
        token: access,
        body: { current_password: password, new_password: 'a quieter pony on the stairs' },
      }),
  ],
  [
    'deleting the account',
    ({ request }, { access }) => request('DELETE', '/users/delete-account', { token: access, body: { password } }),
  ],
])('a right password is right while its hash becomes another one: %s', async (_, act) => {
  const app = await testApp();
  const person = await registerUser(app);
  const meanwhile = await withMeanwhile(app);
  meanwhile.next = async () => {
    const hash = await app.deps.hasher.hash(password);
    await app.deps.db.execute(sql`update users set password_hash = ${hash} where id = ${person.id}::uuid`);
  };
  expect((await act(meanwhile.slow, person)).status).toBe(200);
});

it('of two sign-ins that replace a hash at once, both get a device token that is good', async () => {
  const app = await testApp();
  const person = await registerUser(app);
  const old = '$pbkdf2-sha256$1000$dA6hVEpJSQlhrPV.zznnvA$RqOg1gW2KN4GcWreQ3/Iah41mCZ/l76IkEkrUL3SriU';
  const typed = 'pässwörd';
  await app.deps.db.execute(sql`update users set password_hash = ${old} where id = ${person.id}::uuid`);
  const meanwhile = await withMeanwhile(app);
  const login = ({ request }: TestApp) =>
    request('POST', '/auth/login', { body: { email: person.email, password: typed } });
  const first: { answer?: Awaited<ReturnType<typeof login>> } = {};
  meanwhile.next = async () => {
    first.answer = await login(app);
  };
  const second = await login(meanwhile.slow);
  for (const answer of [first.answer, second]) {
    expect(answer?.status).toBe(200);
    const token = answer?.headers.get('X-Device-Token') ?? '';
    app.mails.length = 0;
    app.clock.advance(3600);
    const headers = { 'X-Device-Token': token, 'User-Agent': `Browser of ${token}` };
    const again = await app.request('POST', '/auth/login', {
      body: { email: person.email, password: typed },
      headers,
      address: '198.51.100.7',
    });
    expect([again.status, app.mails.map(({ subject }) => subject)]).toEqual([200, []]);
  }
});

it('a sign-in leaves the index of an address alone where another account has the newer one', async () => {
  const [one, other] = [testSecret, olderSecret];
  const app = await testApp({ variables: { AUTH_SECRET: one, AUTH_SECRET_PREVIOUS: other } });
  const swapped = await testApp({
    databaseUrl: app.databaseUrl,
    clock: app.clock,
    variables: { AUTH_SECRET: other, AUTH_SECRET_PREVIOUS: one },
  });
  for (let n = 0; n < 6; n += 1) {
    const [person, twin] = [await registerUser(app), await registerUser(app)];
    const [, index] = await blindIndexes(app.deps.keyring, 'email', person.email);
    await app.deps.db.execute(sql`update users set email_index = ${index} where id = ${twin.id}::uuid`);
    for (const { request } of [app, swapped]) {
      const login = await request('POST', '/auth/login', { body: { email: person.email, password } });
      expect(login.status).toBe(200);
    }
  }
});
