import { describe, expect, it } from 'vitest';
import { testApp } from '../support/test-app.ts';

const body = { login: 'user', password: 'securepassword123' };

/** Names that our own API has no room for. */
const names = [
  'Jane Doe',
  'müller@',
  '@',
  'user name!',
  "O'Neill; drop table users --",
  'ann@example.com.',
  '<b>"Bob"</b> & \\',
  '山田 太郎',
  'x'.repeat(65),
  '\u{1f469}\u200d\u{1f52c} Ada',
  '\u{1f3f4}'.repeat(255),
];

describe('the older API premier', () => {
  it('answers every call of its manual, in the order of the manual', async () => {
    const { request } = await testApp();
    const registered = await request('POST', '/api/register', { body });
    expect(registered).toMatchObject({ status: 201, body: { id: expect.any(String), user: { username: 'user' } } });
    const { id } = registered.body;
    expect(registered.body.user_id).toBe(id);

    const signedIn = await request('POST', '/api/login', { body });
    expect(signedIn.status).toBe(200);
    const token: string = signedIn.body.token;
    expect(token).toBe(signedIn.body.access_token);
    const wrong = { ...body, password: 'another password' };
    expect(await request('POST', '/api/login', { body: wrong })).toMatchObject({ status: 401 });

    const signedOut = await request('POST', '/api/logout', { token });
    expect(signedOut).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    expect(await request('GET', '/api/profile', { token })).toMatchObject({ status: 401 });
    const session = await request('POST', '/api/login', { body });
    const profile = await request('GET', '/api/profile', { token: session.body.token });
    expect(profile).toMatchObject({ status: 200, body: { id, user_id: id, login: 'user' } });

    expect(await request('POST', '/api/delete', { body: wrong })).toMatchObject({ status: 401 });
    const deleted = await request('POST', '/api/delete', { body, token: session.body.token });
    expect(deleted).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    expect(await request('GET', '/api/profile', { token: session.body.token })).toMatchObject({ status: 401 });
    expect(await request('POST', '/api/login', { body })).toMatchObject({ status: 401 });
    expect(await request('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    for (const path of ['/docs', '/redoc']) {
      const page = await request('GET', path);
      expect([page.status, page.headers.get('Content-Type')]).toEqual([200, expect.stringMatching('text/html')]);
    }
  });

  it('signs up with an email as with any other name', async () => {
    const { request } = await testApp();
    const byEmail = { login: 'Ann@example.com', password: body.password };
    const { body: registered } = await request('POST', '/api/register', { body: byEmail });
    expect(registered.user).toMatchObject({ email: 'Ann@example.com', username: null });
    const { body: signedIn } = await request('POST', '/api/login', { body: byEmail });
    const profile = await request('GET', '/api/profile', { token: signedIn.token });
    expect(profile.body.login).toBe('Ann@example.com');
  });

  it('takes any name, from the registration to the deletion', async () => {
    const { request, clock } = await testApp();
    for (const login of names) {
      clock.advance(60);
      const sent = { body: { login, password: body.password } };
      const registered = await request('POST', '/api/register', sent);
      expect([login, registered.status]).toEqual([login, 201]);
      expect(registered.body).toMatchObject({ id: registered.body.user.id, user: { username: login, email: null } });
      const { status, body: session } = await request('POST', '/api/login', sent);
      expect([login, status]).toEqual([login, 200]);
      const profile = await request('GET', '/api/profile', { token: session.token });
      expect(profile.body).toMatchObject({ id: registered.body.id, login });
      const wrong = { body: { login, password: 'another password' } };
      for (const path of ['/api/login', '/api/delete']) {
        expect(await request('POST', path, wrong)).toMatchObject({
          status: 401,
          body: { code: 'invalid_credentials' },
        });
      }
      expect((await request('POST', '/api/delete', sent)).status).toBe(200);
      expect((await request('POST', '/api/login', sent)).status).toBe(401);
    }
  });

  it('takes a name that is written in another way for the same one', async () => {
    const { request } = await testApp();
    const as = (login: string) => ({ body: { login, password: body.password } });
    for (const [first, second] of [
      ['Jane Doe', ' jane\u00a0  DOE '],
      ['müller@', 'MU\u0308LLER\uff20'],
      ['ann', 'A\u200bnn'],
      ['\ufb01nn er', 'FINN er\ufe0f'],
      ['\u{1f469}\u200d\u{1f52c}', '\u{1f469}\u{1f52c}'],
    ] as const) {
      const { body: registered } = await request('POST', '/api/register', as(first));
      const taken = await request('POST', '/api/register', as(second));
      expect(taken).toMatchObject({ status: 409, body: { code: 'identifier_taken', errors: [{ path: 'login' }] } });
      expect((await request('POST', '/api/login', as(second))).body.user.id).toBe(registered.id);
    }
  });

  it('shares its names with our own API, which keeps to its rule', async () => {
    const { request } = await testApp();
    const ours = (username: string) =>
      request('POST', '/auth/register', { body: { username, password: body.password } });
    await request('POST', '/api/register', { body: { login: 'A\u2060nn', password: body.password } });
    expect(await ours('ann')).toMatchObject({ status: 409, body: { code: 'identifier_taken' } });
    for (const name of names) expect([name, (await ours(name)).status]).toEqual([name, 422]);
  });

  it('refuses what cannot be kept, shows nothing, or reads like an email', async () => {
    const { request } = await testApp();
    const wrong = [
      'a\tb',
      'a\nb',
      'a\u0000b',
      'direction \u202e',
      'half \ud800',
      'no character \uffff',
      ' \u3000 ',
      '\u200b\u3164',
      'ann@exam\u200bple.com',
      'x'.repeat(256),
      // Eighteen letters each.
      '\ufdfa'.repeat(15),
    ];
    for (const [n, login] of wrong.entries()) {
      const sent = { body: { login, password: body.password } };
      const answer = await request('POST', '/api/register', sent);
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'login' }] } });
      const signIn = await request('POST', '/api/login', { ...sent, address: `198.51.100.${n}` });
      expect(signIn.status).toBe(login.includes('\0') ? 422 : 401);
    }
  });

  it('names a field as the client did', async () => {
    const { request } = await testApp();
    await request('POST', '/api/register', { body });
    const taken = await request('POST', '/api/register', { body });
    expect(taken).toMatchObject({ status: 409, body: { errors: [{ path: 'login' }], detail: expect.any(String) } });
    for (const login of [undefined, 7, null, '', 'a\tb', ['user'], { length: 1 }]) {
      const answer = await request('POST', '/api/register', { body: { login, password: body.password } });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'login' }] } });
    }
    const named = '{"login":"user","password":"securepassword123","constructor":1,"__proto__":{"identifier":"x"}}';
    expect(await request('POST', '/api/login', { body: named })).toMatchObject({ status: 200 });
  });

  it('deletes without a token, and whatever the token is', async () => {
    const { request } = await testApp();
    for (const token of [undefined, 'not-a-token']) {
      await request('POST', '/api/register', { body });
      expect(await request('POST', '/api/delete', { body, token })).toMatchObject({ status: 200 });
    }
  });

  it('locks guesses at the password of an account to delete as it locks sign-ins, known account or not', async () => {
    const { request, clock } = await testApp();
    await request('POST', '/api/register', { body });
    await request('POST', '/api/register', { body: { ...body, login: 'Jane Doe' } });
    for (const login of ['user', 'nobody', 'Jane Doe', 'nobody at all']) {
      const wrong = { login, password: 'another password' };
      for (let times = 0; times < 5; times += 1) {
        const answer = await request('POST', times < 3 ? '/api/delete' : '/api/login', { body: wrong });
        expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
      }
      const right = { login, password: body.password };
      const locked = await request('POST', '/api/delete', { body: right });
      expect(locked).toMatchObject({ status: 429, body: { code: 'account_locked' } });
      expect(locked.headers.get('Retry-After')).toBe('60');
    }
    clock.advance(61);
    expect(await request('POST', '/api/delete', { body })).toMatchObject({ status: 200 });
  });

  it('counts a hundred requests a minute for each endpoint and address', async () => {
    const { request, clock } = await testApp();
    const { body: registered } = await request('POST', '/api/register', { body });
    const profile = () => request('GET', '/api/profile', { token: registered.access_token });
    for (let times = 0; times < 100; times += 1) expect((await profile()).status).toBe(200);
    const refused = await profile();
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', detail: expect.any(String) } });
    expect(refused.headers.get('RateLimit-Limit')).toBe('100');
    const elsewhere = await request('GET', '/api/profile', { token: registered.access_token, address: '198.51.100.1' });
    expect(elsewhere.status).toBe(200);
    expect((await request('POST', '/api/logout', { token: registered.access_token })).status).toBe(200);
    clock.advance(121);
    expect((await request('POST', '/api/login', { body })).status).toBe(200);
  });
});
