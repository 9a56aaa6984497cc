import { describe, expect, it } from 'vitest';
import { secretsTo } from '../support/mail.ts';
import { metricsToken, withMetrics } from '../support/prometheus.ts';
import { letPass } from '../support/sessions.ts';
import { type TestApp, testApp } from '../support/test-app.ts';

const refreshAt = (app: TestApp, path: string) => async (token: string) =>
  await app.request('POST', path, { body: { refresh_token: token } });

/** Somebody with an open session, and the two ways to refresh it. */
async function signedIn(variables: Readonly<Record<string, string>> = {}) {
  const app = await testApp({ variables });
  const body = { email: 'test@example.com', password: 'SecurePass123!' };
  const { body: session } = await app.request('POST', '/auth/register', { body });
  const first: string = session.refresh_token;
  return { ...app, first, lasting: refreshAt(app, '/auth/refresh-token'), strict: refreshAt(app, '/auth/refresh') };
}

/** What its chapters on monitoring ask for. Only the token for metrics is new. */
async function expectMonitoring({ request }: TestApp) {
  expect(await request('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect((await request('GET', '/metrics', { token: metricsToken })).status).toBe(200);
}

describe('the older API flask', () => {
  it('answers every call of its manual, in the order of the manual', async () => {
    const app = await testApp({ variables: withMetrics });
    const { request } = app;
    const [password, next] = ['SecurePass123!', 'AnotherPass123!'];
    const post = (path: string, body: object, token?: string) => request('POST', path, { body, token });
    const signIn = async (username: string, typed: string) =>
      (await post('/auth/login', { username, password: typed })).body.access_token;

    // Its list of endpoints.
    const first = { email: 'first@example.com', username: 'first', password };
    expect((await post('/auth/register', first)).status).toBe(201);
    const { token: verification } = secretsTo(app, first.email);
    const login = await post('/auth/login', { username: 'first', password });
    expect(login.status).toBe(200);
    const refreshed = await post('/auth/refresh-token', { refresh_token: login.body.refresh_token });
    expect(refreshed.status).toBe(200);
    expect((await request('POST', '/auth/logout', { token: refreshed.body.access_token })).status).toBe(200);
    expect((await post('/auth/verify-email', { token: verification })).status).toBe(200);
    expect((await post('/auth/forgot-password', { email: first.email })).status).toBe(202);
    const reset = { token: secretsTo(app, first.email).token, password: next };
    expect((await post('/auth/reset-password', reset)).status).toBe(200);
    const token: string = await signIn('first', next);
    expect((await request('GET', '/auth/verify-token', { token })).status).toBe(200);
    expect(await request('GET', '/users/profile', { token })).toMatchObject({ status: 200, body: { name: null } });
    const profile = await request('PUT', '/users/profile', { token, body: { name: 'Jane', surname: 'Doe' } });
    expect(profile).toMatchObject({ status: 200, body: { name: 'Jane', username: 'first' } });
    const change = { current_password: next, new_password: password };
    expect((await post('/users/change-password', change, token)).status).toBe(200);
    // As late as one likes: the password stands in the request.
    app.clock.advance(601);
    expect((await request('DELETE', '/users/delete-account', { token, body: { password } })).status).toBe(200);
    await post('/auth/register', { ...first, username: 'second' });
    app.clock.advance(1);
    const older = await signIn('second', password);
    app.clock.advance(1);
    const newer = await signIn('second', password);
    const sessions = await request('GET', '/users/sessions', { token: newer });
    expect(sessions.body.items).toMatchObject([{ current: true }, { current: false }, { current: false }]);
    const ended = await request('DELETE', `/users/sessions/${sessions.body.items[1].id}`, { token: newer });
    expect(ended.status).toBe(204);
    expect((await request('GET', '/users/profile', { token: older })).status).toBe(401);
    await expectMonitoring(app);

    // Its quick start.
    expect(await request('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const test = { email: 'test@example.com', username: 'testuser', password, name: 'Test', surname: 'User' };
    expect((await post('/auth/register', test)).status).toBe(201);

    // Its flow, with the client that it prints.
    const email = 'user@example.com';
    const user = { email, username: 'username', password, name: 'John', surname: 'Doe', phone_number: '+1234567890' };
    expect((await post('/auth/register', user)).status).toBe(201);
    expect((await post('/auth/verify-email', { token: secretsTo(app, email).token })).status).toBe(200);
    const { status, body } = await post('/auth/login', { username: 'username', password });
    expect(status).toBe(200);
    const own = await request('GET', '/users/profile', { token: body.access_token });
    expect(own).toMatchObject({ status: 200, body: { name: 'John', surname: 'Doe', phone_number: '+1234567890' } });
    const renewed = await post('/auth/refresh-token', { refresh_token: body.refresh_token });
    expect(renewed).toMatchObject({ status: 200, body: { access_token: expect.any(String) } });
    await expectMonitoring(app);
  });
});

describe('a refresh token at /auth/refresh-token', () => {
  it('that is the first of its session is good again and again, as long as the session is used', async () => {
    const { first, lasting, clock, request } = await signedIn();
    for (let days = 0; days < 28; days += 4) {
      const { status, body } = await lasting(first);
      expect(status).toBe(200);
      expect((await request('GET', '/users/me', { token: body.access_token })).status).toBe(200);
      clock.advance(4 * 86_400);
    }
    // Neither the absolute nor the idle end of a session moves.
    clock.advance(2 * 86_400);
    expect((await lasting(first)).status).toBe(401);
    const idle = await signedIn();
    idle.clock.advance(7 * 86_400);
    expect((await idle.lasting(idle.first)).status).toBe(401);
  });

  it('rotates for a client that uses what comes back, and the first one then ends the session', async () => {
    const app = await signedIn();
    const { first, lasting, request } = app;
    const { body: second } = await lasting(first);
    expect(second.refresh_token).not.toBe(first);
    expect((await lasting(first)).body.refresh_token).toBe(second.refresh_token);
    await letPass(app, 60);
    const third = await lasting(second.refresh_token);
    expect(third.status).toBe(200);
    expect(third.body.refresh_token).not.toBe(second.refresh_token);
    await letPass(app, 60);
    expect(await lasting(first)).toMatchObject({ status: 401, body: { code: 'invalid_refresh_token' } });
    expect((await request('GET', '/users/me', { token: third.body.access_token })).status).toBe(401);
    expect((await lasting(third.body.refresh_token)).status).toBe(401);
  });

  it('is good once from the second on', async () => {
    const app = await signedIn();
    const { first, lasting } = app;
    const { body: second } = await lasting(first);
    expect((await lasting(second.refresh_token)).status).toBe(200);
    await letPass(app, 60);
    expect((await lasting(second.refresh_token)).status).toBe(401);
  });

  it('tells of a stolen one as soon as the session has been refreshed at /auth/refresh', async () => {
    const app = await signedIn();
    const { first, lasting, strict } = app;
    expect((await lasting(first)).status).toBe(200);
    const { body: second } = await strict(first);
    // Within the grace window it is as ever: the same successor.
    expect((await lasting(first)).body.refresh_token).toBe(second.refresh_token);
    await letPass(app, 60);
    expect((await lasting(first)).status).toBe(401);
    expect((await strict(second.refresh_token)).status).toBe(401);
  });

  it('is good for two at once, and once a stricter one has come first, for neither later', async () => {
    const app = await signedIn();
    const { first, lasting, strict } = app;
    const answers = await Promise.all([lasting(first), strict(first), lasting(first), strict(first)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    await letPass(app, 60);
    expect((await lasting(first)).status).toBe(401);
  });

  it('of an ended session is refused, and a forged one too', async () => {
    const { first, lasting, request } = await signedIn();
    const { body } = await lasting(first);
    await request('POST', '/auth/logout', { token: body.access_token });
    expect((await lasting(first)).status).toBe(401);
    expect((await lasting(`${first.slice(0, -5)}AAAAA`)).status).toBe(401);
  });

  it('is not lasting at the other paths, nor anywhere where this API is off', async () => {
    for (const path of ['/auth/refresh', '/api/v1/auth/refresh', '/api/auth/refresh']) {
      const app = await signedIn();
      const refresh = refreshAt(app, path);
      expect((await refresh(app.first)).status).toBe(200);
      await letPass(app, 60);
      expect((await refresh(app.first)).status).toBe(401);
    }
    const { first, lasting } = await signedIn({ COMPAT_APIS: 'api-v1' });
    expect((await lasting(first)).status).toBe(404);
  });
});
