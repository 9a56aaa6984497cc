import { describe, expect, it } from 'vitest';
import { registerAdmin } from '../support/admin.ts';
import { secretsTo } from '../support/mail.ts';
import { metricsToken, withMetrics } from '../support/prometheus.ts';
import { password, registerUser, testApp } from '../support/test-app.ts';

const email = 'ann@example.com';
const credentials = { email, password };

describe('the older API api-auth', () => {
  it('answers every call of its manual, in the order of the manual', async () => {
    const app = await testApp({ variables: withMetrics });
    const { request } = app;
    const post = (path: string, body: object) => request('POST', `/api/auth${path}`, { body });

    // Without a token.
    const registered = await post('/email/register', credentials);
    expect(registered).toMatchObject({ status: 201, body: { user: { email, email_verified: false } } });
    const login = await post('/login', credentials);
    expect(login).toMatchObject({ status: 200, body: { access_token: expect.any(String), token_type: 'Bearer' } });
    expect((await post('/password/reset/request', { email })).status).toBe(202);
    const { token: reset } = secretsTo(app, email);
    const next = 'a quieter pony on the stairs';
    expect((await post('/password/reset/confirm', { token: reset, new_password: next })).status).toBe(200);
    expect((await post('/login', credentials)).status).toBe(401);
    // Who has set a password by mail has verified the address: so somebody else.
    await post('/email/register', { email: 'bob@example.com', password });
    const { token: verification } = secretsTo(app, 'bob@example.com');
    expect((await post('/email/verify', { token: verification })).status).toBe(200);
    expect(await request('GET', '/api/auth/test/public')).toMatchObject({ status: 200 });

    // With one.
    const signIn = async () => (await post('/login', { email, password: next })).body;
    const session = await signIn();
    const get = (path: string, token = session.access_token) => request('GET', `/api/auth${path}`, { token });
    expect(await get('/me')).toMatchObject({ status: 200, body: { email, email_verified: true } });
    const logout = await request('POST', '/api/auth/logout', { token: session.access_token });
    expect(logout.status).toBe(200);
    expect((await get('/me')).status).toBe(401);
    await signIn();
    const { access_token: asking } = await signIn();
    const all = await request('POST', '/api/auth/logout-all', { token: asking });
    expect(all).toMatchObject({ status: 200, body: { sessions_ended: 2 } });
    const first = await signIn();
    app.clock.advance(1);
    const second = await signIn();
    const refreshed = await post('/refresh', { refresh_token: first.refresh_token });
    expect(refreshed).toMatchObject({ status: 200, body: { access_token: expect.any(String) } });
    const token: string = refreshed.body.access_token;
    const { status, body: sessions } = await get('/sessions', token);
    expect(status).toBe(200);
    expect(sessions.items).toMatchObject([{ current: false }, { current: true }]);
    const ended = await request('DELETE', `/api/auth/sessions/${sessions.items[0].id}`, { token });
    expect(ended.status).toBe(204);
    expect((await get('/test/protected', second.access_token)).status).toBe(401);
    expect(await get('/test/protected', token)).toMatchObject({ status: 200 });

    const { access: admin } = await registerAdmin(app);
    expect(await get('/admin/users', admin)).toMatchObject({ status: 200, body: { items: expect.any(Array) } });

    // What its deployment and its documents ask for.
    for (const path of ['/healthz', '/readyz']) expect((await request('GET', path)).status).toBe(200);
    expect((await request('GET', '/metrics', { token: metricsToken })).status).toBe(200);
    const document = await request('GET', '/api/auth/openapi.json');
    expect(document.body).toEqual((await request('GET', '/openapi.json')).body);
    expect((await request('GET', '/api/auth/docs')).headers.get('Content-Type')).toMatch('text/html');
  });

  it('lists the users for admins alone', async () => {
    const app = await testApp();
    const admin = await registerAdmin(app);
    app.clock.advance(1);
    const user = await registerUser(app);
    const list = (token: string) => app.request('GET', '/api/auth/admin/users', { token });
    const items = [{ id: user.id }, { id: admin.id, roles: ['admin', 'user'] }];
    expect(await list(admin.access)).toMatchObject({ status: 200, body: { items } });
    expect(await list(user.access)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('takes the refresh token as the bearer too', async () => {
    const { request } = await testApp();
    const { body: signedIn } = await request('POST', '/api/auth/email/register', { body: credentials });
    const refresh = (token: string, body?: object) => request('POST', '/api/auth/refresh', { token, body });
    const first = await refresh(signedIn.refresh_token);
    expect(first.status).toBe(200);
    // Beside one in the body the bearer is the access token.
    const second = await refresh(first.body.access_token, { refresh_token: first.body.refresh_token });
    expect(second.status).toBe(200);
    // An access token alone renews nothing: it is no proof that the session may go on.
    expect((await refresh(second.body.access_token)).status).toBe(422);
    expect((await request('POST', '/api/auth/refresh')).status).toBe(422);
  });

  it('asks for a token where the manual says so', async () => {
    const { request } = await testApp();
    for (const path of ['/me', '/sessions', '/test/protected']) {
      expect(await request('GET', `/api/auth${path}`)).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
    }
    for (const path of ['/logout', '/logout-all']) {
      expect(await request('POST', `/api/auth${path}`)).toMatchObject({ status: 401 });
    }
    const session = await request('DELETE', `/api/auth/sessions/${crypto.randomUUID()}`);
    expect(session.status).toBe(401);
    expect((await request('GET', '/api/auth/test/protected/below')).status).toBe(404);
  });
});
