import { expect, it } from 'vitest';
import { secretsTo } from '../support/mail.ts';
import { password, type RequestOptions, type TestApp, testApp } from '../support/test-app.ts';

const variables = { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' };

/** Each call comes from a place that nothing was counted for yet. */
const places = (function* () {
  for (let n = 1; ; n += 1) yield `198.51.${n}.1`;
})();

/** The application, and what an answer of it cost until it came. */
async function countingApp() {
  const base = await testApp({ variables });
  const { hasher } = base.deps;
  let hashes = 0;
  const counted = <Arguments extends unknown[], Result>(work: (...asked: Arguments) => Result) => {
    return (...asked: Arguments) => {
      hashes += 1;
      return work(...asked);
    };
  };
  const app = await testApp({
    variables,
    databaseUrl: base.databaseUrl,
    clock: base.clock,
    hasher: { hash: counted(hasher.hash), verify: counted(hasher.verify) },
  });
  const cost = async (path: string, body: object, options: RequestOptions = {}) => {
    const before = { statements: app.statements.length, roundTrips: app.roundTrips() };
    hashes = 0;
    const address = places.next().value;
    const { status, body: said, soFar } = await app.request('POST', path, { body, address, ...options });
    const [statements, roundTrips] = soFar;
    const spent = [statements - before.statements, roundTrips - before.roundTrips, hashes];
    return { status, code: said.code, spent };
  };
  return { app, cost };
}

const addressIn = (app: TestApp) => {
  const send = (path: string, body: object) => app.request('POST', path, { body, address: places.next().value });
  const newEmail = () => `user-${crypto.randomUUID()}@example.com`;
  const waiting = async (typed = password) => {
    const email = newEmail();
    await send('/auth/register', { email, password: typed });
    return email;
  };
  const verified = async () => {
    const email = await waiting();
    await send('/auth/verify-email', { token: secretsTo(app, email).token });
    return email;
  };
  return {
    unknown: async () => newEmail(),
    waiting,
    verified,
    unverified: async () => {
      const email = await verified();
      await app.deps.db.execute(
        'update users set email_verified_at = null where created_at = (select max(created_at) from users)',
      );
      return email;
    },
    registeredOver: async () => {
      const email = await verified();
      await send('/auth/register', { email, password: 'typed by somebody else' });
      return email;
    },
    disabled: async () => {
      const email = await verified();
      await app.deps.db.execute(
        "update users set status = 'disabled' where created_at = (select max(created_at) from users)",
      );
      return email;
    },
  };
};

const wrong = 'not the password of anybody';

it('a failed sign-in costs every address the same statements, round trips and hashes', async () => {
  const { app, cost } = await countingApp();
  for (const path of ['/auth/login', '/api/delete']) {
    for (const [name, make] of Object.entries(addressIn(app))) {
      const body = { [path === '/api/delete' ? 'login' : 'email']: await make(), password: wrong };
      expect({ path, name, ...(await cost(path, body)) }).toEqual({
        path,
        name,
        status: 401,
        code: 'invalid_credentials',
        spent: [2, 1, 2],
      });
      app.clock.advance(1);
    }
  }
});

it('a registrant who has not confirmed costs as much as somebody who typed a wrong password', async () => {
  const { app, cost } = await countingApp();
  const of = addressIn(app);
  const refused = { status: 403, code: 'email_not_verified', spent: [2, 1, 2] };
  expect(await cost('/auth/login', { email: await of.waiting(), password })).toEqual(refused);
  const typed = 'typed by somebody else';
  expect(await cost('/auth/login', { email: await of.registeredOver(), password: typed })).toEqual(refused);
  expect(await cost('/api/delete', { login: await of.waiting(), password })).toEqual(refused);
});

it('a right password costs one hash, and a wrong one for a username or from a known device too', async () => {
  const { app, cost } = await countingApp();
  const email = await addressIn(app).registeredOver();
  // The first token of a process reads the signing keys.
  await cost('/auth/login', { email, password });
  expect(await cost('/auth/login', { email, password })).toEqual({ status: 200, code: undefined, spent: [2, 1, 1] });
  const failed = { status: 401, code: 'invalid_credentials', spent: [2, 1, 1] };
  expect(await cost('/auth/login', { username: 'nobody', password: wrong })).toEqual(failed);
  const { headers } = await app.request('POST', '/auth/login', { body: { email, password } });
  const [device = ''] = headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0] ?? '');
  const known = { headers: { Cookie: device } };
  for (const secret of [wrong, 'typed by somebody else'])
    expect(await cost('/auth/login', { email, password: secret }, known)).toEqual(failed);
});

it('of several registrations that wait, the password of the newest says so', async () => {
  const { app, cost } = await countingApp();
  const email = await addressIn(app).waiting('the password that came first');
  app.clock.advance(1);
  await app.request('POST', '/auth/register', { body: { email, password } });
  expect(await cost('/auth/login', { email, password })).toMatchObject({ status: 403 });
  const older = { email, password: 'the password that came first' };
  expect(await cost('/auth/login', older)).toMatchObject({ status: 401, spent: [2, 1, 2] });
  app.clock.advance(86_400);
  expect(await cost('/auth/login', { email, password })).toMatchObject({ status: 401, spent: [2, 1, 2] });
});
