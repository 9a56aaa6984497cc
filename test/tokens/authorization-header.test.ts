import { describe, expect, it } from 'vitest';
import { issuer, registerUser, testApp } from '../support/test-app.ts';
import { endpoints, expectRefused } from './refusal.ts';

describe('the Authorization header', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])(
    'names the scheme as %s (RFC 9110 section 11.1)',
    async (scheme) => {
      const app = await testApp();
      const { access } = await registerUser(app);
      for (const value of [`${scheme} ${access}`, `${scheme}   ${access}`]) {
        expect((await app.request('GET', '/users/me', { headers: { Authorization: value } })).status).toBe(200);
      }
    },
  );

  it('may be missing: then the answer names the scheme and no error (RFC 6750 section 3.1)', async () => {
    const app = await testApp();
    for (const endpoint of endpoints) {
      const { status, headers, body } = await app.request('GET', endpoint);
      expect(status).toBe(401);
      expect(body).toMatchObject({ code: 'invalid_token' });
      expect(headers.get('WWW-Authenticate')).toBe(`Bearer realm="${issuer}"`);
    }
  });

  it('holds one token of the scheme Bearer and nothing else', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      access,
      `Basic ${access}`,
      `Basic ${btoa(`user:${access}`)}`,
      `DPoP ${access}`,
      `Bearer${access}`,
      `Bearer\t${access}`,
      `Bearer:${access}`,
      `Bearer: ${access}`,
      `"Bearer ${access}"`,
      `Bearer ${access} ${access}`,
      `Bearer ${access}, Bearer ${access}`,
      `Bearer ${access} x`,
      `Basic x, Bearer ${access}`,
      `Bearer Bearer ${access}`,
    ];
    for (const value of wrong) await expectRefused(app, value, 'no bearer token');
    const spoilt = [`Bearer "${access}"`, `Bearer ${access},`, `Bearer ${access}\tx`, 'Bearer ÿþ'];
    for (const value of spoilt) await expectRefused(app, value, 'not a canonical JWS');
    await expectRefused(app, `Bearer ${' '.repeat(100_000)}x ${' '.repeat(100_000)}x`, 'no bearer token');
  });

  it('is the only place that counts', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    const headers = {
      Cookie: `access_token=${access}`,
      'X-Access-Token': access,
      'Proxy-Authorization': `Bearer ${access}`,
    };
    expect((await app.request('GET', `/users/me?access_token=${access}`, { headers })).status).toBe(401);
  });
});
