import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { users } from '../../src/db/schema.ts';
import { mailTo, secretsIn, secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const required = { variables: { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' } };
const otherPassword = 'a quieter pony on the stairs';
const newEmail = (name = 'new') => `${name}-${crypto.randomUUID()}@example.com`;
const post = async ({ request }: TestApp, path: string, body: object, token?: string) =>
  (await request('POST', path, { body, token })).status;
/** The status; 403 tells whoever typed a registration that it waits, and lets nobody in: as good as 401 here. */
const login = async (app: TestApp, identifier: string, secret = password) => {
  const status = await post(app, '/auth/login', { identifier, password: secret });
  return status === 403 ? 401 : status;
};
const change = (app: TestApp, token: string, email: string) => post(app, '/users/change-email', { email }, token);
const confirm = (app: TestApp, email: string) =>
  post(app, '/auth/confirm-email-change', { token: secretsTo(app, email).token });
const undo = (app: TestApp, token: string) => post(app, '/auth/undo-email-change', { token });

describe('a thief who has the password and a session', () => {
  it('cannot keep the owner from taking a change of address back by taking back a later one', async () => {
    const app = await testApp();
    const { email, access } = await registerUser(app);
    const [second, third] = [newEmail(), newEmail()];
    for (const next of [second, third]) {
      await change(app, access, next);
      expect(await confirm(app, next)).toBe(200);
      app.clock.advance(1);
    }
    const owners = secretsTo(app, email).token;
    expect(await undo(app, secretsTo(app, second).token)).toBe(200);
    const thiefs = secretsTo(app, second).token;
    expect(await post(app, '/auth/reset-password', { token: thiefs, password: otherPassword })).toBe(200);
    expect(await login(app, second, otherPassword)).toBe(200);
    expect(await undo(app, owners)).toBe(200);
    expect([await login(app, second, otherPassword), await login(app, email, otherPassword)]).toEqual([401, 401]);
    const token = secretsTo(app, email).token;
    expect(await post(app, '/auth/reset-password', { token, password })).toBe(200);
    expect(await login(app, email)).toBe(200);
  });

  it.each<[string, (app: TestApp, owner: { email: string; access: string }, thief: string) => Promise<number>]>([
    [
      'changes the password',
      (app, { access }) =>
        post(app, '/users/change-password', { current_password: password, new_password: otherPassword }, access),
    ],
    ['signs out everywhere', (app, { access }) => post(app, '/auth/logout-all', {}, access)],
    ['signs out everywhere else', (app, { access }) => post(app, '/auth/logout-all', { except_current: true }, access)],
    [
      'ends the session of the thief',
      async (app, { access }, thief) => {
        const { body } = await app.request('GET', '/users/sessions', { token: thief });
        const { id } = body.items.find(({ current }: { current: boolean }) => current);
        return (await app.request('DELETE', `/users/sessions/${id}`, { token: access })).status;
      },
    ],
  ])('cannot confirm a change of address any more once the owner %s', async (_, act) => {
    const app = await testApp();
    const owner = await registerUser(app);
    const { body } = await app.request('POST', '/auth/login', { body: { email: owner.email, password } });
    const next = newEmail('thief');
    await change(app, body.access_token, next);
    expect(await act(app, owner, body.access_token)).toBeLessThan(300);
    expect(await confirm(app, next)).toBe(410);
  });
});

it('a change of address can be confirmed after signing out of the session that asked for it', async () => {
  const app = await testApp();
  const { access } = await registerUser(app);
  const next = newEmail();
  await change(app, access, next);
  await app.request('POST', '/auth/logout', { token: access });
  expect(await confirm(app, next)).toBe(200);
});

it('a link to set a password dies when the password is changed', async () => {
  const app = await testApp();
  const { email, access } = await registerUser(app);
  await post(app, '/auth/forgot-password', { email });
  const { token } = secretsTo(app, email);
  const body = { current_password: password, new_password: otherPassword };
  expect(await post(app, '/users/change-password', body, access)).toBe(200);
  expect(await post(app, '/auth/reset-password', { token, password })).toBe(410);
});

describe('where addresses have to be verified first, a mail that was asked for again', () => {
  it('sets a password where several registered with the address: none of theirs counts', async () => {
    const app = await testApp(required);
    const email = newEmail();
    await post(app, '/auth/register', { email, password });
    await post(app, '/auth/register', { email, password: otherPassword, username: 'mallory' });
    await post(app, '/auth/resend-verification', { email });
    const { token } = secretsTo(app, email);
    expect(await post(app, '/auth/verify-email', { token })).toBe(410);
    expect(await post(app, '/auth/reset-password', { token, password: 'set by who reads the mail' })).toBe(200);
    expect(await login(app, email, 'set by who reads the mail')).toBe(200);
    expect([await login(app, email, otherPassword), await login(app, 'mallory', otherPassword)]).toEqual([401, 401]);
    expect(await post(app, '/auth/verify-email', secretsIn(app.mails[1] ?? mailTo(app, email)))).not.toBe(200);
  });

  it('lets choose a password where there is an unverified account besides', async () => {
    const lax = await testApp();
    const { email, refresh } = await registerUser(lax);
    const app = await testApp({ ...required, databaseUrl: lax.databaseUrl, clock: lax.clock });
    await post(app, '/auth/register', { email, password: otherPassword });
    await post(app, '/auth/resend-verification', { email });
    const { token } = secretsTo(app, email);
    expect(await post(app, '/auth/verify-email', { token })).toBe(410);
    expect(await post(app, '/auth/reset-password', { token, password: 'set by who reads the mail' })).toBe(200);
    expect(await login(app, email, 'set by who reads the mail')).toBe(200);
    expect([await login(app, email), await login(app, email, otherPassword)]).toEqual([401, 401]);
    expect(await post(app, '/auth/refresh', { refresh_token: refresh })).toBe(401);
  });

  it('a registration over an account, as an older release enqueued it, changes nothing any more', async () => {
    const lax = await testApp();
    const { id, email } = await registerUser(lax);
    const app = await testApp({ ...required, databaseUrl: lax.databaseUrl, clock: lax.clock });
    const other = newEmail();
    await post(app, '/auth/register', { email: other, password: otherPassword });
    await app.deps.db.execute(sql`update one_time_tokens set user_id = ${id}::uuid,
      email_index = (select email_index from users where id = ${id}::uuid) where data_sealed is not null`);
    expect(await post(app, '/auth/verify-email', { token: secretsTo(app, other).token })).toBe(410);
    expect(await login(lax, email)).toBe(200);
  });
});

describe('while a secret is replaced', () => {
  const [oldSecret, newSecret] = ['old-secret-'.repeat(4), 'new-secret-'.repeat(4)];
  const until = { AUTH_SECRET_PREVIOUS_UNTIL: '2099-01-01' };
  const before = { AUTH_SECRET: oldSecret, AUTH_SECRET_PREVIOUS: newSecret, ...until };
  const after = { AUTH_SECRET: newSecret, AUTH_SECRET_PREVIOUS: oldSecret, ...until };

  it('links and codes of before work after it, also when a sign-in has moved the account meanwhile', async () => {
    const old = await testApp({ variables: before });
    const { email } = await registerUser(old);
    await post(old, '/auth/forgot-password', { email });
    const app = await testApp({ variables: after, databaseUrl: old.databaseUrl, clock: old.clock });
    expect(await login(app, email)).toBe(200);
    const { code } = secretsTo(old, email);
    expect(await post(app, '/auth/reset-password', { email, code, password: otherPassword })).toBe(200);
    expect(await login(app, email, otherPassword)).toBe(200);
  });

  it('an address that somebody has verified under the old one cannot be taken under the new one', async () => {
    const old = await testApp({ variables: before });
    const app = await testApp({ variables: after, databaseUrl: old.databaseUrl, clock: old.clock });
    const [ann, bob, carol] = [await registerUser(old), await registerUser(old), await registerUser(app)];
    await change(app, carol.access, bob.email);
    const enqueued = secretsTo(app, bob.email);
    await post(old, '/auth/verify-email', { token: secretsTo(old, bob.email).token });
    expect(await post(app, '/auth/confirm-email-change', enqueued)).toBe(422);
    expect(await post(app, '/auth/confirm-email-change', { token: enqueued.token })).toBe(410);
    // Nor one that an account has without having verified it.
    await change(app, carol.access, ann.email);
    expect(mailTo(app, ann.email).subject).toContain('Choose a password');
    expect((await app.request('GET', '/users/me', { token: ann.access })).body.email).toBe(ann.email);
  });

  it('a registration of before and one of after make one account', async () => {
    const old = await testApp({ variables: { ...required.variables, ...before } });
    const variables = { ...required.variables, ...after };
    const app = await testApp({ variables, databaseUrl: old.databaseUrl, clock: old.clock });
    const email = newEmail();
    await post(old, '/auth/register', { email, password });
    await post(app, '/auth/register', { email, password: otherPassword });
    expect(await post(old, '/auth/verify-email', { token: secretsTo(old, email).token })).toBe(200);
    expect(await post(app, '/auth/verify-email', { token: secretsTo(app, email).token })).toBe(410);
    expect(await app.deps.db.select().from(users)).toHaveLength(1);
  });
});
