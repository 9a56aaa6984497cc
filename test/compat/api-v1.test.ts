import { describe, expect, it } from 'vitest';
import { registerAdmin } from '../support/admin.ts';
import { password, registerUser, testApp } from '../support/test-app.ts';

const form = (fields: Readonly<Record<string, string>>) => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
});

describe('the older API api-v1', () => {
  it('answers every call of its manual, in the order of the manual', async () => {
    const app = await testApp();
    const { request } = app;
    const admin = await registerAdmin(app);
    for (const path of ['/docs', '/redoc']) {
      const page = await request('GET', path);
      expect([page.status, page.headers.get('Content-Type')]).toEqual([200, expect.stringMatching('text/html')]);
    }
    app.clock.advance(1);
    const credentials = { email: 'ann@example.com', password };
    const signup = await request('POST', '/api/v1/auth/signup', { body: credentials });
    const tokens = { access_token: expect.any(String), refresh_token: expect.any(String), token_type: 'Bearer' };
    expect(signup).toMatchObject({ status: 201, body: tokens });
    const login = await request('POST', '/api/v1/auth/login', { body: credentials });
    expect(login).toMatchObject({ status: 200, body: tokens });
    const { refresh_token } = login.body;
    const refreshed = await request('POST', '/api/v1/auth/refresh', { body: { refresh_token } });
    expect(refreshed).toMatchObject({ status: 200, body: tokens });
    expect(refreshed.body.refresh_token).not.toBe(refresh_token);
    const me = await request('GET', '/api/v1/users/me', { token: refreshed.body.access_token });
    expect(me).toMatchObject({ status: 200, body: { email: 'ann@example.com', roles: ['user'] } });
    const list = await request('GET', '/api/v1/admin/users', { token: admin.access });
    expect(list).toMatchObject({ status: 200, body: { items: [{ id: me.body.id }, { id: admin.id }] } });
  });

  it('lists the users for admins alone', async () => {
    const app = await testApp();
    const admin = await registerAdmin(app);
    app.clock.advance(1);
    const user = await registerUser(app);
    const list = (token: string) => app.request('GET', '/api/v1/admin/users?limit=1', { token });
    expect(await list(admin.access)).toMatchObject({
      status: 200,
      body: { items: [{ id: user.id, roles: ['user'] }] },
    });
    expect(await list(user.access)).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.any(String) },
    });
  });

  it('takes the password form of OAuth 2.0, as FastAPI reads it', async () => {
    const { request } = await testApp();
    await request('POST', '/api/v1/auth/signup', { body: { email: 'ann@example.com', username: 'ann', password } });
    const sent = [
      { grant_type: 'password', username: 'ann@example.com', password, scope: '' },
      { username: 'ann', password },
      // As Swagger UI sends what was left empty.
      { grant_type: '', username: 'ann', password, scope: '', client_id: '', client_secret: '' },
    ];
    for (const fields of sent) {
      const { status, body, headers } = await request('POST', '/api/v1/auth/login', form(fields));
      expect(status).toBe(200);
      expect(headers.get('Cache-Control')).toBe('no-store');
      expect(headers.get('X-Device-Token')).not.toBeNull();
      expect(headers.get('Set-Cookie')).toBeNull();
      expect(body).toMatchObject({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 900,
        refresh_token: expect.any(String),
      });
    }
    const other = { grant_type: 'client_credentials', username: 'ann', password };
    const refused = await request('POST', '/api/v1/auth/login', form(other));
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: 'grant_type' }] } });
  });

  it('takes the form as FormData sends it, and refuses what only looks like one', async () => {
    const { request } = await testApp();
    await request('POST', '/api/v1/auth/signup', { body: { email: 'ann@example.com', password } });
    const send = (text: string, type: string) =>
      request('POST', '/api/v1/auth/login', { body: text, headers: { 'Content-Type': type } });
    const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW';
    const part = (name: string, value: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const whole = `${part('username', 'ann@example.com')}${part('password', password)}--${boundary}--\r\n`;
    const type = `multipart/form-data; boundary=${boundary}`;
    expect(await send(whole, type)).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    const file = whole.replace('name="username"', 'name="username"; filename="a"');
    for (const broken of [whole.slice(0, 60), '', file]) expect((await send(broken, type)).status).toBe(422);
    expect((await send(whole, type.toLowerCase())).status).toBe(422);
    expect((await send(whole, 'multipart/form-data')).status).toBe(415);
  });

  it('refuses as FastAPI does: 401 with a detail, whatever was sent, and counts towards the lockout', async () => {
    const { request } = await testApp();
    await request('POST', '/api/v1/auth/signup', { body: { email: 'ann@example.com', password } });
    for (const username of ['ann@example.com', 'nobody@example.com']) {
      const wrong = form({ grant_type: 'password', username, password: 'wrong password' });
      const answer = await request('POST', '/api/v1/auth/login', wrong);
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials', detail: expect.any(String) } });
    }
    const wrong = { email: 'ann@example.com', password: 'wrong password' };
    for (let times = 0; times < 4; times += 1) await request('POST', '/api/v1/auth/login', { body: wrong });
    const right = form({ username: 'ann@example.com', password });
    const locked = await request('POST', '/api/v1/auth/login', right);
    expect(locked).toMatchObject({ status: 429, body: { code: 'account_locked' } });
  });

  it('takes no form at the paths that never took one', async () => {
    const { request } = await testApp();
    const fields = form({ username: 'ann', password });
    for (const path of ['/auth/login', '/api/v1/auth/signup', '/api/auth/login', '/api/login']) {
      expect(await request('POST', path, fields)).toMatchObject({ status: 415 });
    }
  });
});
