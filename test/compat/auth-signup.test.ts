import { describe, expect, it } from 'vitest';
import { password, testApp } from '../support/test-app.ts';

describe('the older API auth-signup', () => {
  it('answers every call of its manual, in the order of the manual', async () => {
    const { request } = await testApp();
    const credentials = { email: 'ann@example.com', password };
    const signup = await request('POST', '/auth/signup', { body: credentials });
    expect(signup).toMatchObject({ status: 201, body: { token_type: 'Bearer', user: { email: 'ann@example.com' } } });
    const login = await request('POST', '/auth/login', { body: credentials });
    expect(login.status).toBe(200);
    const refreshed = await request('POST', '/auth/refresh', { body: { refresh_token: login.body.refresh_token } });
    expect(refreshed.status).toBe(200);
    const token: string = refreshed.body.access_token;
    expect(await request('POST', '/auth/logout', { token })).toMatchObject({ status: 200 });
    // The session of the registration goes on.
    const me = await request('GET', '/auth/me', { token: signup.body.access_token });
    expect(me).toMatchObject({ status: 200, body: { id: signup.body.user.id, email: 'ann@example.com' } });
    expect(await request('GET', '/')).toMatchObject({ status: 200, body: { status: 'ok' } });

    expect(await request('GET', '/auth/me', { token })).toMatchObject({ status: 401 });
    // Clients of FastAPI show the `detail` of a refusal.
    const refused = await request('POST', '/auth/login', { body: { ...credentials, password: 'another password' } });
    expect(refused).toMatchObject({ status: 401, body: { detail: expect.any(String) } });
  });
});
