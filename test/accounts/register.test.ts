import { describe, expect, it } from 'vitest';
import { password, registerUser, testApp } from '../support/test-app.ts';

const everything = {
  email: ' Ann@Bücher.EXAMPLE ',
  username: 'Ånn_1',
  password,
  name: 'Ann',
  surname: 'Żółć',
  phone_number: '+1 (415) 555-0100',
};

describe('registering', () => {
  it('makes an account and signs it in', async () => {
    const { request } = await testApp();
    const { status, body, headers } = await request('POST', '/auth/register', { body: everything });
    expect(status).toBe(201);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'account' });
    expect(body.user).toMatchObject({
      email: 'Ann@xn--bcher-kva.example',
      email_verified: false,
      username: 'Ånn_1',
      name: 'Ann',
      surname: 'Żółć',
      phone_number: '+14155550100',
      roles: ['user'],
    });
    const me = await request('GET', '/users/me', { token: body.access_token });
    expect(me).toMatchObject({ status: 200, body: body.user });
  });

  it('takes an email alone, or a username alone', async () => {
    const { request } = await testApp();
    const byEmail = await request('POST', '/auth/register', { body: { email: 'a@example.com', password } });
    expect(byEmail.body.user).toMatchObject({ email: 'a@example.com', username: null, name: null });
    const byName = await request('POST', '/auth/register', { body: { username: 'b', password } });
    expect(byName.body.user).toMatchObject({ email: null, username: 'b', phone_number: null });
  });

  it('takes addresses, phone numbers and locales as people have them', async () => {
    const app = await testApp();
    const body = { email: 'foo..bar.@docomo.ne.jp', password, phone_number: '+49 (0)30 123456', locale: 'de_DE' };
    const { status, body: answer } = await app.request('POST', '/auth/register', { body });
    expect([status, answer.user]).toMatchObject([201, { email: body.email, phone_number: '+4930123456' }]);
    const profile = await app.request('GET', '/users/profile', { token: answer.access_token });
    expect(profile.body.locale).toBe('de-DE');
    expect(app.mails.map(({ to }) => to)).toEqual([body.email]);
  });

  it('gives nobody a role or a state that they ask for', async () => {
    const { request } = await testApp();
    const body = { username: 'eve', password, roles: ['admin'], status: 'active', email_verified: true, id: 'x' };
    const { body: answer } = await request('POST', '/auth/register', { body });
    expect(answer.user).toMatchObject({ roles: ['user'], email_verified: false });
  });

  it.each([
    ['email', 'ANN@example.com', 'ann@EXAMPLE.com '],
    ['email', 'ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['email', 'ａｎｎ@example.com', 'ann@example.com'],
    ['username', 'Ann', 'aNN'],
    ['username', 'ﬁnn', 'finn'],
  ])('refuses an %s that is taken in another spelling (%s, %s)', async (field, first, second) => {
    const { request } = await testApp();
    await request('POST', '/auth/register', { body: { [field]: first, password } });
    const { status, body } = await request('POST', '/auth/register', { body: { [field]: second, password } });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'identifier_taken', errors: [{ path: field }] });
  });

  it('lets exactly one of many racing registrations of one address through', async () => {
    const { request } = await testApp({ variables: { LIMIT_MAIL_ACCOUNT: '100/3600' } });
    const body = { email: 'race@example.com', password };
    const answers = await Promise.all(Array.from({ length: 10 }, () => request('POST', '/auth/register', { body })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(9).fill(409)]);
  });

  it('leaves nothing behind when it is refused', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const body = { email, username: 'left-behind', password };
    expect((await app.request('POST', '/auth/register', { body })).status).toBe(409);
    expect((await app.request('POST', '/auth/register', { body: { username: 'left-behind', password } })).status).toBe(
      201,
    );
  });

  it.each([
    ['email', 'no-at-sign'],
    ['email', '@example.com'],
    ['email', 'a b@example.com'],
    ['email', 'a@localhost'],
    ['email', 'a@127.0.0.1'],
    ['email', 'a@example.com/path'],
    ['email', 'a\u0000b@example.com'],
    ['email', `${'a'.repeat(65)}@example.com`],
    ['email', 42],
    ['username', 'with@sign'],
    ['username', 'with space'],
    ['username', '-dash'],
    ['username', 'a'.repeat(65)],
    ['username', 'zero\u200bwidth'],
    ['username', 'variation\ufe0f'],
    ['username', 'hangul\u3164filler'],
    ['email', 'variation\ufe0f@example.com'],
    ['password', 'short'],
    ['password', 'x'.repeat(257)],
    ['password', `broken-\ud800-surrogate`],
    ['name', 'null\u0000byte'],
    ['name', '\ud800'],
    ['name', '   '],
    ['name', 'turned \u202eannA'],
    ['name', 'two\u2028lines'],
    ['surname', 'x'.repeat(101)],
    ['phone_number', '12345'],
    ['phone_number', '+1 415 555 CALL'],
  ])('refuses %s %j and names the field', async (path, value) => {
    const { request } = await testApp();
    const body = { username: 'somebody', password, [path]: value };
    const answer = await request('POST', '/auth/register', { body });
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('validation_failed');
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('asks for an email or a username, and names every wrong field at once', async () => {
    const { request } = await testApp();
    const none = await request('POST', '/auth/register', { body: { password } });
    expect(none.body.errors).toEqual([{ path: 'email', message: 'Enter an email address, a username, or both' }]);
    const nothing = await request('POST', '/auth/register', { body: {} });
    expect(nothing.body.errors).toEqual([
      { path: 'password', message: 'Required' },
      { path: 'email', message: 'Enter an email address, a username, or both' },
    ]);
    const wrong = await request('POST', '/auth/register', { body: { email: 'x', username: '', password: 'x' } });
    expect(wrong.body.errors.map((error: { path: string }) => error.path)).toEqual(['email', 'username', 'password']);
  });

  it('counts the length of a password in code points', async () => {
    const { request } = await testApp();
    const long = '🔑'.repeat(256);
    const { status } = await request('POST', '/auth/register', { body: { username: 'keys', password: long } });
    expect(status).toBe(201);
    const login = await request('POST', '/auth/login', { body: { username: 'keys', password: long } });
    expect(login.status).toBe(200);
    const cut = await request('POST', '/auth/login', { body: { username: 'keys', password: '🔑'.repeat(255) } });
    expect(cut.status).toBe(401);
  });

  it('keeps the newest secret and the older ones from giving one address to two people', async () => {
    const old = 'old-secret-old-secret-old-secret-old';
    const before = await testApp({ variables: { AUTH_SECRET: old } });
    const { email } = await registerUser(before);
    const variables = { AUTH_SECRET: 'new-secret-new-secret-new-secret-new', AUTH_SECRET_PREVIOUS: old };
    const after = await testApp({ databaseUrl: before.databaseUrl, variables });
    expect((await after.request('POST', '/auth/register', { body: { email, password } })).status).toBe(409);
    for (let times = 0; times < 2; times += 1) {
      const login = await after.request('POST', '/auth/login', { body: { email, password } });
      expect(login.body.user).toMatchObject({ email });
    }
    expect((await after.request('POST', '/auth/register', { body: { email, password } })).status).toBe(409);
  });
});

it('looks no further into what is too long: putting marks in order costs the square of their number', async () => {
  const { request } = await testApp();
  const marks = `a${'\u0301'.repeat(15_000)}${'\u0316'.repeat(15_000)}`;
  const paths = ['email', 'username', 'password', 'name', 'phone_number'];
  for (const path of paths) {
    const { status, body } = await request('POST', '/auth/register', {
      body: { username: 'ann', password, [path]: marks },
    });
    expect([path, status, body.errors.length]).toEqual([path, 422, 1]);
    expect(body.errors[0].message).toMatch(/^Too long/);
  }
});

it('hashes no password for a client that has gone', async () => {
  let hashed = false;
  const hasher = {
    hash: async () => {
      hashed = true;
      return '';
    },
    verify: async () => {
      hashed = true;
      return { valid: false, needsUpgrade: false };
    },
  };
  const { request } = await testApp({ hasher });
  const gone = new AbortController();
  gone.abort();
  const { signal } = gone;
  for (const path of ['/auth/register', '/auth/login']) {
    // A request that is gone before it is read may fail as a whole; either way nothing is hashed.
    await request('POST', path, { body: { username: 'gone', password }, signal }).catch(() => undefined);
  }
  expect(hashed).toBe(false);
});
