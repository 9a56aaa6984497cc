import { describe, expect, it } from 'vitest';
import { issuer, password, registerUser, testApp } from '../support/test-app.ts';

const form = 'application/x-www-form-urlencoded';

describe('a form', () => {
  const requests = {
    'of another origin': { Origin: 'https://evil.example', 'Content-Type': form },
    'of another site that hides its origin': { Origin: 'null', 'Sec-Fetch-Site': 'cross-site', 'Content-Type': form },
    'of a page that hides where it is': { Origin: 'null', 'Content-Type': form },
    'of a neighbouring domain': { 'Sec-Fetch-Site': 'same-site', 'Content-Type': form },
    'of another site, of several parts': {
      'Sec-Fetch-Site': 'cross-site',
      'Content-Type': 'multipart/form-data; boundary=x',
    },
    'of another site, as plain text': { 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'text/plain' },
  };
  for (const [name, headers] of Object.entries(requests)) {
    it(`${name} is refused at every address, and sets nothing`, async () => {
      const app = await testApp();
      const { email } = await registerUser(app);
      const body = new URLSearchParams({ grant_type: 'password', username: email, password }).toString();
      for (const path of ['/api/v1/auth/login', '/auth/login', '/auth/logout', '/auth/forgot-password']) {
        const answer = await app.request('POST', path, { body, headers });
        expect([answer.status, answer.headers.get('Set-Cookie')]).toEqual([403, null]);
      }
    });
  }

  it.each([
    ['of our own pages', { Origin: issuer, 'Sec-Fetch-Site': 'same-origin' }],
    ['of an origin that is listed', { Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['that the person sent by hand', { 'Sec-Fetch-Site': 'none' }],
    ['of a program', {}],
  ])('%s goes on', async (_, headers) => {
    const app = await testApp({ variables: { CORS_ORIGINS: 'https://app.example' } });
    const { email } = await registerUser(app);
    const body = new URLSearchParams({ grant_type: 'password', username: email, password }).toString();
    const sent = { body, headers: { ...headers, 'Content-Type': form } };
    expect((await app.request('POST', '/api/v1/auth/login', sent)).status).toBe(200);
  });
});

it('JSON, which a browser asks for before, is not held up', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
  expect((await app.request('POST', '/auth/login', { body: { email, password }, headers })).status).toBe(200);
});

describe('the check of a token for a proxy', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
  const types = [undefined, form, 'multipart/form-data; boundary=x', 'text/plain', 'application/json', 'image/png'];
  const sites: Record<string, string>[] = [
    { Origin: 'https://app.example.com' },
    { Origin: 'null' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site', Origin: 'https://app.example.com' },
  ];

  it.each(methods)('answers a %s of any page with any body by its token alone', async (method) => {
    const app = await testApp();
    const { access } = await registerUser(app);
    for (const path of ['/auth/verify-token', '/auth/verify-token/orders/1']) {
      for (const type of types) {
        for (const site of sites) {
          const headers = { ...site, ...(type === undefined ? {} : { 'Content-Type': type }) };
          const body = type === undefined || ['GET', 'HEAD', 'OPTIONS'].includes(method) ? {} : { body: 'a=b' };
          const statuses = [access, undefined].map(
            async (token) => (await app.request(method, path, { ...body, headers, token })).status,
          );
          expect([method, path, headers, ...(await Promise.all(statuses))]).toEqual([method, path, headers, 200, 401]);
        }
      }
    }
  });
});
