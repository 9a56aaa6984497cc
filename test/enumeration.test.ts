import { expect, it } from 'vitest';
import type { Mail, Mailer } from '../src/mailer.ts';
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

it('who signs in before they confirmed learns so with the right password, and nothing of whether an account has the address', async () => {
  const app = await testApp({ variables });
  const [fresh, held] = ['fresh', 'held'].map((name) => `${name}-${crypto.randomUUID()}@example.com`);
  const send = (path: string, body: object) => app.request('POST', path, { body, address: places.next().value });
  const login = async (email: string | undefined, secret: string) => {
    const before = app.statements.length;
    const answer = await send('/auth/login', { email, password: secret });
    return { ...seen(answer), statements: app.statements.slice(before, answer.soFar[0]).map(({ sql }) => sql) };
  };
  await send('/auth/register', { email: held, password });
  await send('/auth/verify-email', { token: secretsTo(app, held ?? '').token });
  const typed = 'typed by somebody else';
  for (const email of [fresh, held]) await send('/auth/register', { email, password: typed });
  const early = await login(fresh, typed);
  expect(early).toMatchObject({ status: 403, body: { code: 'email_not_verified' } });
  expect(early.body.detail).toContain('ask for a new one');
  expect(await login(held, typed)).toEqual(early);
  expect(await login(held, 'wrong altogether')).toEqual(await login(fresh, 'wrong altogether'));
  // Nor does it show when the holder of the address confirms a registration of their own.
  await send('/auth/register', { email: fresh, password });
  const { token } = secretsTo(app, fresh ?? '');
  await send('/auth/register', { email: fresh, password: typed });
  expect((await send('/auth/verify-email', { token })).status).toBe(200);
  expect(await login(fresh, typed)).toEqual(early);
  expect((await login(fresh, password)).status).toBe(200);
});

it('a registration waits as long for the address of an account as for a free one: sent again, held up, or the account deleted', async () => {
  let isAway = false;
  const mails: Mail[] = [];
  const mailer: Mailer = {
    kind: 'mailbox',
    close: async () => undefined,
    send: async (mail) => {
      if (isAway) throw new Error('away');
      mails.push(mail);
    },
  };
  const app = await testApp({ variables, mailer });
  const send = (path: string, body: object, token?: string) =>
    app.request('POST', path, { body, token, address: places.next().value });
  const typed = 'typed by somebody else';
  const newEmail = () => `user-${crypto.randomUUID()}@example.com`;
  const lax = await testApp({ databaseUrl: app.databaseUrl, clock: app.clock });
  const account = async (isVerified: boolean) => {
    const email = newEmail();
    const { body } = await lax.request('POST', '/auth/register', {
      body: { email, password },
      address: places.next().value,
    });
    if (isVerified) {
      await lax.request('POST', '/auth/verify-email', { body: { token: secretsTo(lax, email).token } });
    }
    return { email, access: String(body.access_token) };
  };
  const story = async ({ email }: { email: string }, steps: readonly string[]) => {
    const answers: unknown[] = [];
    const start = app.clock.now();
    for (const step of steps) {
      if (step === 'register') await send('/auth/register', { email, password: typed });
      if (step === 'resend') await send('/auth/resend-verification', { email });
      if (step === 'away' || step === 'back') isAway = step === 'away';
      if (step === 'sweep') await app.app.runScheduled();
      if (/^\d+$/.test(step)) app.clock.advance(Number(step) * 3600);
      if (step === 'login') {
        const { status, body } = await send('/auth/login', { email, password: typed });
        answers.push([(app.clock.now() - start) / 3_600_000, status, body.code]);
      }
    }
    return answers;
  };
  const stories = {
    'sent again': ['register', '5', 'resend', '18', 'login', '2', 'login', '3', 'login', '2', 'login'],
    'sent again twice': ['register', '20', 'resend', '20', 'resend', '20', 'login', '5', 'login'],
    'typed twice': ['register', 'register', '5', 'resend', '18', 'login', '2', 'login'],
    'held up': ['away', 'register', '5', 'sweep', '20', 'login', 'back', 'sweep', '23', 'login', '2', 'login'],
    'run out': ['register', '25', 'resend', 'login'],
  };
  for (const [name, steps] of Object.entries(stories)) {
    const free = await story({ email: newEmail() }, steps);
    for (const isVerified of [true, false]) {
      expect([name, isVerified, await story(await account(isVerified), steps)]).toEqual([name, isVerified, free]);
    }
  }
  const gone = await account(true);
  await story(gone, ['register']);
  const deletion = { password };
  const deleted = await app.request('DELETE', '/users/delete-account', {
    body: deletion,
    token: (await send('/auth/login', { email: gone.email, password })).body.access_token,
  });
  expect(deleted.status).toBe(200);
  const steps = ['login', '5', 'resend', '20', 'login', '5', 'login'];
  const left = await story(gone, steps);
  expect(left[0]).toEqual([0, 403, 'email_not_verified']);
  const never = { email: newEmail() };
  await story(never, ['register']);
  expect(await story(never, steps)).toEqual(left);
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
