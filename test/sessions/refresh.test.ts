import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { letPass } from '../support/sessions.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const day = 86_400;

function refresher({ request }: TestApp) {
  return (refreshToken: string) => request('POST', '/auth/refresh', { body: { refresh_token: refreshToken } });
}

describe('a refresh token', () => {
  it('is exchanged for a new access token and its successor', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const { status, body, headers } = await refresher(app)(user.refresh);
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'account' });
    expect(body.refresh_token).not.toBe(user.refresh);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(decodeJwt(body.access_token)).toMatchObject({ sub: user.id, sid: decodeJwt(user.access)['sid'] });
  });

  it('gives the identical successor when it is shown again within the grace window', async () => {
    const app = await testApp();
    const refresh = refresher(app);
    const { refresh: first } = await registerUser(app);
    const { body: one } = await refresh(first);
    await letPass(app, 29);
    const { status, body: two } = await refresh(first);
    expect(status).toBe(200);
    expect(two.refresh_token).toBe(one.refresh_token);
    expect((await refresh(two.refresh_token)).status).toBe(200);
  });

  it('ends the session when it is shown again after the grace window', async () => {
    const app = await testApp();
    const refresh = refresher(app);
    const { refresh: first, access } = await registerUser(app);
    const { body: stolen } = await refresh(first);
    await letPass(app, 31);
    const replay = await refresh(first);
    expect(replay.status).toBe(401);
    expect(replay.body).toMatchObject({ code: 'invalid_refresh_token' });
    expect((await refresh(stolen.refresh_token)).status).toBe(401);
    for (const token of [access, stolen.access_token]) {
      expect((await app.request('GET', '/auth/verify-token', { token })).status).toBe(401);
    }
    expect(app.logLines.some((line) => line.includes('"event":"refresh_token_reuse"'))).toBe(true);
  });

  it('ends the session when an even older one is shown, also within the window', async () => {
    const app = await testApp();
    const refresh = refresher(app);
    const { refresh: first } = await registerUser(app);
    const { body: second } = await refresh(first);
    const { body: third } = await refresh(second.refresh_token);
    await letPass(app, 1);
    expect((await refresh(first)).status).toBe(401);
    expect((await refresh(third.refresh_token)).status).toBe(401);
  });

  it('is no concern of the clock of a host: one that jumps neither opens nor closes the grace window', async () => {
    const app = await testApp();
    const refresh = refresher(app);
    const { refresh: first } = await registerUser(app);
    const { body: one } = await refresh(first);
    app.clock.advance(3600);
    expect((await refresh(first)).body.refresh_token).toBe(one.refresh_token);
    await letPass(app, 31);
    app.clock.advance(-7200);
    expect((await refresh(first)).status).toBe(401);
  });

  it('is refused after a logout', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await app.request('POST', '/auth/logout', { body: { refresh_token: user.refresh } });
    expect((await refresher(app)(user.refresh)).status).toBe(401);
  });

  it('goes on where a restored backup knows an older generation only', async () => {
    const app = await testApp();
    const refresh = refresher(app);
    const { refresh: first } = await registerUser(app);
    const { body: second } = await refresh(first);
    const { body: third } = await refresh(second.refresh_token);
    await app.deps.db.execute('update sessions set generation = 0');
    const { status, body: fourth } = await refresh(third.refresh_token);
    expect(status).toBe(200);
    expect((await refresh(fourth.refresh_token)).status).toBe(200);
    await letPass(app, 1);
    expect((await refresh(first)).status).toBe(401);
  });
});

describe('a session', () => {
  it('ends when it was not used for 7 days', async () => {
    const app = await testApp();
    const { refresh: first } = await registerUser(app);
    app.clock.advance(7 * day);
    expect((await refresher(app)(first)).status).toBe(401);
  });

  it('ends after 30 days however often it is used, and says so in time', async () => {
    const app = await testApp();
    const refresh = refresher(app);
    let { refresh: current } = await registerUser(app);
    let left = 7 * day;
    for (let days = 0; days < 30; days += 6) {
      const { status, body } = await refresh(current);
      expect(status).toBe(200);
      expect(body.refresh_token_expires_in).toBe(Math.min(7, 30 - days) * day);
      left = body.refresh_token_expires_in;
      current = body.refresh_token;
      app.clock.advance(6 * day);
    }
    expect(left).toBe(6 * day);
    expect((await refresh(current)).status).toBe(401);
  });

  it('is not outlived by its access tokens', async () => {
    const app = await testApp({ variables: { SESSION_TTL: '1000', SESSION_IDLE_TTL: '1000' } });
    const { refresh: first } = await registerUser(app);
    app.clock.advance(940);
    const { body } = await refresher(app)(first);
    expect(body.expires_in).toBe(60);
    const verify = () => app.request('GET', '/auth/verify-token', { token: body.access_token });
    expect((await verify()).status).toBe(200);
    // 60 s of clock skew are tolerated.
    app.clock.advance(121);
    expect((await verify()).status).toBe(401);
  });

  it('is ended by the disabling of its user at the next refresh', async () => {
    const app = await testApp();
    const { refresh: first } = await registerUser(app);
    await app.deps.db.execute("update users set status = 'disabled'");
    expect((await refresher(app)(first)).status).toBe(401);
  });

  it('is as many as there are logins, each of its own', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const { body: other } = await app.request('POST', '/auth/login', { body: { email: user.email, password } });
    await app.request('POST', '/auth/logout', { token: user.access });
    expect((await refresher(app)(user.refresh)).status).toBe(401);
    expect((await refresher(app)(other.refresh_token)).status).toBe(200);
  });
});
