// On Node only: it puts a proxy before a Redis.
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { withDeadline } from '../../src/platform/kv-deadline.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { hasSharedKeyValue, password, registerUser, testApp } from '../support/test-app.ts';

/** Milliseconds. The service waits for 300. */
const slow = 700;

async function setUp() {
  const url = new URL(inject('redisUrl') ?? '');
  const proxy = await startSlowProxy(Number(url.port));
  onTestFinished(() => proxy.stop());
  url.port = String(proxy.port);
  const states: string[] = [];
  const kv = withDeadline(createRedisKeyValue({ url: url.href }), { onStateChange: (state) => states.push(state) });
  const app = await testApp({ kv });
  const { email } = await registerUser(app);
  const login = () => app.request('POST', '/auth/login', { body: { identifier: email, password } });
  // Marks count for tokens that come a minute after the first look for one.
  await app.request('GET', '/auth/verify-token', { token: (await login()).body.access_token });
  app.clock.advance(180);
  const { access_token: token } = (await login()).body;
  const verify = async () => (await app.request('GET', '/auth/verify-token', { token })).status;
  const rowsRead = () => app.statements.filter(({ sql }) => sql.includes('select true as alive')).length;
  return { proxy, states, login, verify, rowsRead };
}

describe.skipIf(!hasSharedKeyValue())('one answer of Redis that takes longer than the service waits', () => {
  it('makes session rows decide until the next probe, which one request at a time sends, and no longer', async () => {
    const { proxy, states, verify, rowsRead } = await setUp();
    expect(await verify()).toBe(200);
    const before = rowsRead();
    for (let count = 0; count < 10; count += 1) await verify();
    expect(rowsRead()).toBe(before);

    proxy.holdNext(slow);
    expect(await Promise.all(Array.from({ length: 8 }, verify))).toEqual(Array(8).fill(200));
    expect([states, rowsRead() - before]).toEqual([['down'], 8]);
    const sent = proxy.sent.length;
    let probed = 0;
    let asked = 0;
    while (!states.includes('up')) {
      probed = proxy.sent.length - sent;
      expect(await Promise.all([verify(), verify(), verify()])).toEqual([200, 200, 200]);
      asked += 3;
    }
    expect(asked).toBeGreaterThan(3);
    expect(probed).toBe(0);

    // The one who found it back wrote the marks again; others of that moment may still have read rows.
    await verify();
    const mended = rowsRead();
    for (let count = 0; count < 20; count += 1) expect(await verify()).toBe(200);
    expect(rowsRead()).toBe(mended);
    expect(states).toEqual(['down', 'up']);
  });

  it('refuses none of twenty right sign-ins at once for one account, without a device token', async () => {
    const { proxy, states, login } = await setUp();
    const twenty = Array.from({ length: 20 }, login);
    proxy.holdNext(slow);
    expect((await Promise.all(twenty)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(states).toContain('down');
    expect((await login()).status).toBe(200);
  });
});
