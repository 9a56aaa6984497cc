import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { letPass } from '../support/sessions.ts';
import { issuer, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { createForger } from '../tokens/forge.ts';
import { ask } from '../tokens/sessions-under-test.ts';

const reauthenticate = ({ request }: TestApp, token: string, typed = password) =>
  request('POST', '/auth/reauthenticate', { token, body: { password: typed } });
/** Sensitive, and with a wrong password it does nothing. */
const sensitive = ({ request }: TestApp, token: string) =>
  request('POST', '/users/change-email', { token, body: { email: 'new@example.com' } });

const remove = ({ request }: TestApp, token: string) =>
  request('DELETE', '/users/delete-account', { token, body: { password: 'wrong password' } });
const renew = ({ request }: TestApp, token: string) =>
  request('POST', '/auth/refresh', { body: { refresh_token: token } });
const authTime = (token: string) => decodeJwt(token)['auth_time'];
const seconds = ({ clock }: TestApp) => Math.floor(clock.now() / 1000);

describe('auth_time', () => {
  it('is when the password was proved, and a refresh does not change it', async () => {
    const app = await testApp();
    const { access, refresh } = await registerUser(app);
    const proved = seconds(app);
    expect(authTime(access)).toBe(proved);
    app.clock.advance(500);
    const { body } = await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
    expect(authTime(body.access_token)).toBe(proved);
  });

  it('moves when the password is proved again, in the tokens of that answer and their successors', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    app.clock.advance(700);
    const { status, body, headers } = await reauthenticate(app, user.access);
    expect([status, headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    expect(authTime(body.access_token)).toBe(seconds(app));
    expect(decodeJwt(body.access_token)['sid']).toBe(decodeJwt(user.access)['sid']);
    expect(body.refresh_token_expires_in).toBe(7 * 86_400 - 700);
    expect(await ask(app, user.access)).toBe(200);
    const proved = seconds(app);
    app.clock.advance(100);
    let next = await renew(app, body.refresh_token);
    expect([authTime(next.body.access_token), next.body.refresh_token_expires_in]).toEqual([proved, 7 * 86_400]);
    next = await renew(app, next.body.refresh_token);
    expect(authTime(next.body.access_token)).toBe(proved);
  });

  const proofs: Record<string, (app: TestApp, token: string) => ReturnType<TestApp['request']>> = {
    'a proof of the password': reauthenticate,
    'a change of the password': ({ request }, token) =>
      request('POST', '/users/change-password', {
        token,
        body: { current_password: password, new_password: 'another battery staple' },
      }),
  };
  for (const [name, prove] of Object.entries(proofs)) {
    it(`does not move for a refresh token that was stolen before ${name}`, async () => {
      const app = await testApp();
      const { access, refresh } = await registerUser(app);
      const first = seconds(app);
      app.clock.advance(700);
      const { body: owner } = await prove(app, access);
      const { body: thief } = await renew(app, refresh);
      expect(authTime(thief.access_token)).toBe(first);
      expect((await sensitive(app, thief.access_token)).body.code).toBe('reauthentication_required');
      // The owner goes on, and so does what the owner has proved.
      const { body: next } = await renew(app, owner.refresh_token);
      expect((await sensitive(app, next.access_token)).status).toBe(202);
      expect(authTime((await renew(app, thief.refresh_token)).body.access_token)).toBe(first);
      await letPass(app, 31);
      expect((await renew(app, thief.refresh_token)).status).toBe(401);
      expect((await renew(app, next.refresh_token)).status).toBe(401);
    });

    it(`leaves whoever did not get the answer to ${name} signed in, however late they refresh`, async () => {
      const app = await testApp();
      const { access, refresh } = await registerUser(app);
      expect((await prove(app, access)).status).toBe(200);
      await letPass(app, 900);
      expect((await renew(app, refresh)).status).toBe(200);
    });

    it(`spends the refresh token before with the first use of the one that ${name} gave`, async () => {
      const app = await testApp();
      const { access, refresh } = await registerUser(app);
      const { body } = await prove(app, access);
      expect((await renew(app, body.refresh_token)).status).toBe(200);
      await letPass(app, 1);
      expect((await renew(app, refresh)).status).toBe(401);
    });
  }
});

describe('proving the password again', () => {
  it('with a wrong one is no 401, changes nothing, and is limited together with the other ways to try one', async () => {
    const app = await testApp({ variables: { LIMIT_PASSWORD_USER: '2/60' } });
    const { access } = await registerUser(app);
    const { status, body } = await reauthenticate(app, access, 'wrong password');
    expect([status, body.code, body.errors]).toMatchObject([422, 'wrong_password', [{ path: 'password' }]]);
    expect((await remove(app, access)).body.code).toBe('wrong_password');
    expect((await reauthenticate(app, access)).status).toBe(429);
  });

  it('does not bring back a session that ended, or one of a disabled user', async () => {
    const app = await testApp();
    const [ended, disabled] = [await registerUser(app), await registerUser(app)];
    const { hasher } = app.deps;
    const during = async (work: () => Promise<unknown>) =>
      await testApp({
        databaseUrl: app.databaseUrl,
        clock: app.clock,
        hasher: { ...hasher, verify: (...typed) => work().then(() => hasher.verify(...typed)) },
      });
    const logout = await during(() => app.request('POST', '/auth/logout', { token: ended.access }));
    expect((await reauthenticate(logout, ended.access)).body.code).toBe('invalid_token');
    const disable = await during(() => app.deps.db.execute("update users set status = 'disabled'"));
    expect((await reauthenticate(disable, disabled.access)).body.code).toBe('invalid_token');
    expect((await reauthenticate(app, disabled.access)).body.code).toBe('invalid_token');
  });
});

describe('what is sensitive', () => {
  it('takes a password that was proved at most 10 minutes ago, and asks for it again after that (RFC 9470)', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    app.clock.advance(600);
    expect((await sensitive(app, access)).status).toBe(202);
    app.clock.advance(1);
    const [statements, roundTrips] = [app.statements.length, app.roundTrips()];
    const { status, body, headers } = await sensitive(app, access);
    expect([status, body.code]).toEqual([401, 'reauthentication_required']);
    expect(headers.get('WWW-Authenticate')).toBe(
      `Bearer realm="${issuer}", error="insufficient_user_authentication", max_age="600"`,
    );
    expect([app.statements.length, app.roundTrips()]).toEqual([statements, roundTrips]);
    const { body: again } = await reauthenticate(app, access);
    expect((await sensitive(app, again.access_token)).status).toBe(202);
  });

  it('is the export, and the end of sessions other than the one that asks', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const { body: other } = await app.request('POST', '/auth/login', { body: { email: user.email, password } });
    const idOf = (token: string) => decodeJwt(token)['sid'];
    const others = [
      ['GET', '/users/export'],
      ['POST', '/auth/logout-all'],
      ['POST', '/api/auth/logout-all'],
      ['DELETE', `/users/sessions/${idOf(other.access_token)}`],
    ] as const;
    app.clock.advance(601);
    for (const [method, path] of others) {
      const { status, body } = await app.request(method, path, { token: user.access });
      expect([path, status, body.code]).toEqual([path, 401, 'reauthentication_required']);
    }
    const own = `/users/sessions/${idOf(user.access)}`;
    expect((await app.request('DELETE', own, { token: user.access })).status).toBe(204);
  });

  it('does not take a token that says nothing of it', async () => {
    const app = await testApp();
    const { id, access } = await registerUser(app);
    const forger = await createForger(app);
    const token = await forger.token({ claims: { sub: id, sid: decodeJwt(access)['sid'] } });
    expect(await ask(app, token)).toBe(200);
    expect((await sensitive(app, token)).body.code).toBe('reauthentication_required');
  });
});
