import { expect } from 'vitest';
import { problems } from '../../src/errors.ts';
import { issuer, type TestApp } from '../support/test-app.ts';

/** Those that need an access token and nothing else. */
export const endpoints = ['/users/me', '/auth/verify-token'];

/** Shows a value of `Authorization` to every endpoint that needs a token. */
export async function expectRefused(app: TestApp, authorization: string, reason: string): Promise<void> {
  for (const endpoint of endpoints) {
    const before = app.logLines.length;
    const { status, headers, body } = await app.request('GET', endpoint, { headers: { Authorization: authorization } });
    expect(status).toBe(401);
    expect(headers.get('Content-Type')).toBe('application/problem+json');
    const error = /^Bearer(\s|$)/i.test(authorization) ? ', error="invalid_token"' : '';
    expect(headers.get('WWW-Authenticate')).toBe(`Bearer realm="${issuer}"${error}`);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(Object.keys(body).toSorted()).toEqual(['code', 'detail', 'request_id', 'status', 'title', 'type']);
    // Why it was refused stands in the log alone.
    expect(body.detail).toBe(problems.invalid_token.detail);
    expect(body).toMatchObject({ code: 'invalid_token', status: 401 });
    const lines = app.logLines.slice(before);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'request', status: 401, reason }]);
    if (authorization.length > 20) expect(lines.join()).not.toContain(authorization.slice(-20));
  }
}
