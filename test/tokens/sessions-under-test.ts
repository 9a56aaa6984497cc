import { expect } from 'vitest';
import { password, type TestApp } from '../support/test-app.ts';

/** What each endpoint that needs a token says to one: 200 or 401. */
export async function ask({ request }: TestApp, token: string): Promise<number> {
  const [verified, me] = [
    await request('GET', '/auth/verify-token', { token }),
    await request('GET', '/users/me', { token }),
  ];
  expect(me.status).toBe(verified.status);
  if (me.status === 401) {
    for (const { body, headers } of [verified, me]) {
      expect(body).toMatchObject({ code: 'invalid_token' });
      expect(headers.get('WWW-Authenticate')).toContain('error="invalid_token"');
    }
  }
  return me.status;
}

export async function login({ request }: TestApp, email: string): Promise<{ access: string; refresh: string }> {
  const { body } = await request('POST', '/auth/login', { body: { email, password } });
  return { access: body.access_token, refresh: body.refresh_token };
}
