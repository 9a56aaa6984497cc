import { expect, it } from 'vitest';
import { secretsTo } from './support/mail.ts';
import { type Answer, password, testApp } from './support/test-app.ts';

const variables = { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' };

/** A cookie that each answer sets anew. */
const withoutRandom = ([name, value]: [string, string]) => [name, value.replace(/asked=[^;]+/, 'asked=…')];

/** All that somebody sees of an answer, in order, but what is random in each. */
function seen({ status, headers, body }: Answer) {
  const { request_id: _, ...rest } = body;
  return { status, headers: [...headers].filter(([name]) => name !== 'x-request-id').map(withoutRandom), body: rest };
}

/** Each call comes from a place that nothing was counted for yet. */
const places = (function* () {
  for (let n = 1; ; n += 1) yield `198.51.${n}.1`;
})();

it('no endpoint tells known from unknown accounts by status, headers, their order, body, or statements', async () => {
  const app = await testApp({ variables });
  const { request } = app;
  const newEmail = () => `user-${crypto.randomUUID()}@example.com`;
  const send = async (path: string, body: object, address: string) => {
    const before = app.statements.length;
    const answer = await request('POST', path, { body, address });
    const statements = app.statements.slice(before, answer.soFar[0]).map(({ sql }) => sql);
    return { ...seen(answer), statements };
  };
  const registered = async (verify: boolean) => {
    const [email, address] = [newEmail(), places.next().value];
    await request('POST', '/auth/register', { body: { email, password }, address });
    if (verify) {
      await request('POST', '/auth/verify-email', { body: { token: secretsTo(app, email).token }, address });
    }
    return email;
  };
  const wrong = { password: 'not the password of anybody' };
  const calls: Record<string, (email: string) => [path: string, body: object]> = {
    login: (email) => ['/auth/login', { email, ...wrong }],
    loginByIdentifier: (identifier) => ['/auth/login', { identifier, ...wrong }],
    deleteByCredentials: (login) => ['/api/delete', { login, ...wrong }],
    register: (email) => ['/auth/register', { email, password }],
    registerWithName: (email) => ['/auth/register', { email, password, username: `u-${crypto.randomUUID()}` }],
    forgot: (email) => ['/auth/forgot-password', { email }],
    resend: (email) => ['/auth/resend-verification', { email }],
    verify: (email) => ['/auth/verify-email', { email, code: '0000-0000' }],
    reset: (email) => ['/auth/reset-password', { email, code: '0000-0000', password: 'a quieter pony on the stairs' }],
    confirmChange: (email) => ['/auth/confirm-email-change', { email, code: '0000-0000' }],
  };
  for (const [name, call] of Object.entries(calls)) {
    const [path, body] = call(newEmail());
    const unknown = await send(path, body, places.next().value);
    for (const verify of [true, false]) {
      const email = await registered(verify);
      const [, known] = call(email);
      expect({ name, verify, ...(await send(path, known, places.next().value)) }).toEqual({ name, verify, ...unknown });
    }
  }
});

it('a registration that waits cannot sign in, with the right password too, and that looks like any other failure', async () => {
  const app = await testApp({ variables });
  const email = `user-${crypto.randomUUID()}@example.com`;
  await app.request('POST', '/auth/register', { body: { email, password }, address: '203.0.113.1' });
  const login = (identifier: string, address: string) =>
    app.request('POST', '/auth/login', { body: { identifier, password }, address });
  expect(seen(await login(email, '203.0.113.2'))).toEqual(seen(await login('nobody@example.com', '203.0.113.3')));
});

it('who never verified an address has to, once that is asked for, and only who knows the password learns so', async () => {
  const lax = await testApp();
  const email = `user-${crypto.randomUUID()}@example.com`;
  await lax.request('POST', '/auth/register', { body: { email, password } });
  const strict = await testApp({ variables, databaseUrl: lax.databaseUrl, clock: lax.clock });
  const login = (secret: string) => strict.request('POST', '/auth/login', { body: { email, password: secret } });
  expect(await login(password)).toMatchObject({ status: 403, body: { code: 'email_not_verified' } });
  expect(await login('not the password')).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
  await strict.request('POST', '/auth/verify-email', { body: { token: secretsTo(lax, email).token } });
  expect((await login(password)).status).toBe(200);
});
