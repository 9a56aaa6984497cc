import { expect, it } from 'vitest';
import { registerUser, testApp } from '../support/test-app.ts';

it.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
  'verify-token says yes to no %s without a good token, whatever the origin',
  async (method) => {
    const app = await testApp({ variables: { CORS_ORIGINS: 'https://app.example' } });
    const { access } = await registerUser(app);
    const sent = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' };
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

it('lets pages of a listed origin read what they need of an answer, the device token too', async () => {
  const app = await testApp({ variables: { CORS_ORIGINS: 'https://app.example' } });
  const exposed = async (origin: string) => {
    const { headers } = await app.request('GET', '/health', { headers: { Origin: origin } });
    return [headers.get('Access-Control-Allow-Origin'), headers.get('Access-Control-Expose-Headers')];
  };
  const [allowed, names] = await exposed('https://app.example');
  expect(allowed).toBe('https://app.example');
  for (const name of ['X-Device-Token', 'ETag', 'Retry-After']) expect(names?.split(',')).toContain(name);
  expect((await exposed('https://evil.example'))[0]).toBeNull();
});
