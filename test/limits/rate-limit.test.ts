import { describe, expect, it } from 'vitest';
import { hasSharedKeyValue, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const login = ({ request }: TestApp, fields: object, address = '192.0.2.1') =>
  request('POST', '/auth/login', { body: { password: 'wrong-password', ...fields }, address });

describe('a limit', () => {
  it('tells how much is left, and refuses with 429 and Retry-After', async () => {
    const app = await testApp({ variables: { LIMIT_LOGIN_ADDRESS: '2/60' } });
    const first = await login(app, { identifier: 'nobody' });
    expect(first.status).toBe(401);
    expect(first.headers.get('RateLimit-Limit')).toBe('2');
    expect(first.headers.get('RateLimit-Remaining')).toBe('1');
    await login(app, { identifier: 'nobody' });
    const { status, headers, body } = await login(app, { identifier: 'nobody' });
    expect(status).toBe(429);
    expect(body).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(headers.get('RateLimit-Remaining')).toBe('0');
    app.clock.advance(Number(headers.get('Retry-After')) + 60);
    expect((await login(app, { identifier: 'nobody' })).status).toBe(401);
  });

  it('of sign-outs counts by the address, and lets many people sign out who share one', async () => {
    const app = await testApp({ variables: { LIMIT_LOGOUT_ADDRESS: '2/60' } });
    const { access: token, refresh } = await registerUser(app);
    const signOut = async (sent: object) => (await app.request('POST', '/auth/logout', sent)).status;
    expect(await signOut({ token })).toBe(200);
    expect(await signOut({ body: { refresh_token: refresh } })).toBe(200);
    const before = app.statements.length;
    expect([await signOut({ token }), await signOut({ body: { refresh_token: refresh } })]).toEqual([429, 429]);
    const isEnd = ({ sql }: { readonly sql: string }) => /update "sessions"/.test(sql);
    expect([app.statements.some(isEnd), app.statements.slice(before).some(isEnd)]).toEqual([true, false]);
    expect(await signOut({ token, address: '203.0.113.9' })).toBe(200);
    const { limits } = (await testApp()).deps.config;
    expect(limits.logout_address.limit / limits.login_address.limit).toBeGreaterThanOrEqual(10);
  });

  it('costs no statement and no password hash once it is reached', async () => {
    let hashes = 0;
    const hasher = {
      hash: async () => '',
      verify: async () => {
        hashes += 1;
        return { valid: false, needsUpgrade: false };
      },
    };
    const app = await testApp({ variables: { LIMIT_LOGIN_ADDRESS: '1/60' }, hasher });
    await login(app, { identifier: 'nobody' });
    const before = app.statements.length;
    const refused = await login(app, { identifier: 'nobody' });
    expect([refused.status, refused.soFar[0]]).toEqual([429, before]);
    expect(hashes).toBe(1);
  });

  it('counts IPv6 addresses by their /56, and one address apart from the next', async () => {
    const app = await testApp({ variables: { LIMIT_LOGIN_ADDRESS: '2/60' } });
    await login(app, { identifier: 'a' }, '2001:db8::1');
    await login(app, { identifier: 'b' }, '2001:db8:0:1::2');
    expect((await login(app, { identifier: 'c' }, '2001:db8:0:ff::3')).status).toBe(429);
    expect((await login(app, { identifier: 'c' }, '2001:db8:0:100::3')).status).toBe(401);
  });

  it('is not moved by headers that a client can forge', async () => {
    const app = await testApp({ variables: { LIMIT_LOGIN_ADDRESS: '1/60' } });
    const forged = {
      'X-Forwarded-For': '203.0.113.50',
      'CF-Connecting-IP': '203.0.113.50',
      Forwarded: 'for=203.0.113.50',
    };
    const send = () =>
      app.request('POST', '/auth/login', {
        body: { identifier: 'a', password: 'wrong-password' },
        headers: forged,
        address: '192.0.2.9',
      });
    expect((await send()).status).toBe(401);
    expect((await send()).status).toBe(429);
    expect((await login(app, { identifier: 'a' }, '203.0.113.50')).status).toBe(401);
  });

  it.skipIf(!hasSharedKeyValue())('is one for all isolates that share a store', async () => {
    const variables = { LIMIT_LOGIN_ADDRESS: '3/60' };
    const one = await testApp({ kv: 'shared', variables });
    const two = await testApp({ kv: 'shared', variables, databaseUrl: one.databaseUrl });
    const address = randomAddress();
    const statuses = [];
    for (const app of [one, two, one, two]) statuses.push((await login(app, { identifier: 'nobody' }, address)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });
});

/** The store is shared with other test files; an address of one's own keeps the counts apart. */
const randomAddress = () => {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `10.${a}.${b}.${c}`;
};
