import { expect, it } from 'vitest';
import { registerUser, testApp } from '../support/test-app.ts';

const origin = 'https://app.example';
const variables = { CORS_ORIGINS: `${origin}, https://other.example` };
const preflight = (method = 'POST', from = origin) => ({
  headers: { Origin: from, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization' },
});

it.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
  'verify-token says yes to no %s without a good token, whatever the origin',
  async (method) => {
    const app = await testApp({ variables });
    const { access } = await registerUser(app);
    const sent = { Origin: origin, 'Access-Control-Request-Method': 'DELETE' };
    const status = async (path: string, headers: Record<string, string> = {}) => {
      const request = new Request(`https://auth.test${path}`, { method, headers: { ...sent, ...headers } });
      return (await app.app.fetch(request, { clientAddress: '192.0.2.1' })).status;
    };
    for (const path of ['/auth/verify-token', '/auth/verify-token/', '/auth/verify-token/admin/x']) {
      expect(await status(path)).toBe(401);
      expect(await status(path, { Authorization: 'Bearer x' })).toBe(401);
      expect(await status(path, { Authorization: `Bearer ${access}` })).toBe(200);
    }
  },
);

it('verify-token lets the pages of listed origins ask and read the answer', async () => {
  const app = await testApp({ variables });
  const { access } = await registerUser(app);
  const asked = await app.request('OPTIONS', '/auth/verify-token', preflight('GET'));
  expect(asked.status).toBe(204);
  expect(asked.headers.get('Access-Control-Allow-Headers')).toBe('authorization');
  const answer = await app.request('GET', '/auth/verify-token', { token: access, headers: { Origin: origin } });
  expect([answer.status, answer.headers.get('Access-Control-Allow-Origin')]).toEqual([200, origin]);
  const refused = await app.request('GET', '/auth/verify-token', { token: 'x', headers: { Origin: origin } });
  expect([refused.status, refused.headers.get('Access-Control-Allow-Origin')]).toEqual([401, origin]);
  // A proxy that asks below the path takes a 2xx for a yes; and strangers get no answer that their page may use.
  expect((await app.request('OPTIONS', '/auth/verify-token/x', preflight('GET'))).status).toBe(401);
  const strange = await app.request('OPTIONS', '/auth/verify-token', preflight('GET', 'https://evil.example'));
  expect([strange.status, strange.headers.get('Access-Control-Allow-Origin')]).toEqual([401, null]);
});

it('lets pages of a listed origin send the cookie, and read what they need of each answer', async () => {
  const app = await testApp({ variables });
  for (const [method, path, status, init] of [
    ['GET', '/health', 200, { headers: { Origin: origin } }],
    ['POST', '/auth/login', 422, { body: {}, headers: { Origin: origin } }],
    ['GET', '/users/me', 401, { headers: { Origin: origin } }],
    ['GET', '/nowhere', 404, { headers: { Origin: origin } }],
    ['GET', '/.well-known/jwks.json', 200, { headers: { Origin: origin } }],
    ['OPTIONS', '/auth/login', 204, preflight()],
  ] as const) {
    const { headers, ...answer } = await app.request(method, path, init);
    expect([path, answer.status]).toEqual([path, status]);
    expect(headers.get('Access-Control-Allow-Origin')).toBe(origin);
    expect(headers.get('Access-Control-Allow-Credentials')).toBe('true');
    expect(headers.get('Vary')).toContain('Origin');
    const names = headers.get('Access-Control-Expose-Headers')?.split(',');
    for (const name of ['X-Device-Token', 'ETag', 'Retry-After', 'WWW-Authenticate']) expect(names).toContain(name);
  }
});

it('lets no page of another origin read an answer, but of the key set', async () => {
  const { request } = await testApp({ variables });
  for (const from of ['https://evil.example', `${origin}.evil.example`, 'null', 'http://app.example']) {
    const { headers } = await request('GET', '/health', { headers: { Origin: from } });
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
    expect(headers.get('Access-Control-Allow-Credentials')).toBeNull();
    expect(headers.get('Vary')).toContain('Origin');
    const keys = await request('GET', '/.well-known/jwks.json', { headers: { Origin: from } });
    expect(keys.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(keys.headers.get('Access-Control-Allow-Credentials')).toBeNull();
  }
});

it('a preflight that is refused stands in the log with its origin', async () => {
  const { request, logLines } = await testApp({ variables });
  const refusal = async (from: string) => {
    const { headers } = await request('OPTIONS', '/auth/login', preflight('POST', from));
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
    return JSON.parse(logLines.at(-1) ?? '').reason;
  };
  expect(await refusal('https://evil.example')).toContain('https://evil.example is not in CORS_ORIGINS');
  expect(await refusal('<script>')).toContain('of another kind');
  await request('OPTIONS', '/auth/login', preflight());
  expect(JSON.parse(logLines.at(-1) ?? '')).not.toHaveProperty('reason');
});
