import { describe, expect, it } from 'vitest';
import { password, registerUser } from '../../support/test-app.ts';
import { knownDevice, login, right, setUp, statuses, wrong } from './guesses.ts';

describe('a known device', () => {
  it('is locked by five failures of its own, which lock nobody else', async () => {
    const { app, user } = await setUp();
    const device = await knownDevice(app, user.email);
    const fromDevice = (typed: string) => login(app, user.email, { typed, headers: device, address: '192.0.2.1' });
    expect(await statuses(6, () => fromDevice(wrong))).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await right(app, user.email, { address: '192.0.2.1' })).status).toBe(200);
    app.clock.advance(60);
    expect((await fromDevice(password)).status).toBe(200);
  });

  it('is known by the header or the cookie, which every sign-in renews', async () => {
    const { app, user } = await setUp();
    const first = await right(app, user.email);
    const token = first.headers.get('X-Device-Token') ?? '';
    const { headers } = first;
    expect(headers.get('Set-Cookie')).toBe(
      `__Host-device=${token}; Max-Age=15552000; Path=/; Secure; HttpOnly; SameSite=Lax`,
    );
    await statuses(6, () => login(app, user.email));
    const cookie = { Cookie: `a=b; __Host-device=${token}` };
    const ways = [{ 'X-Device-Token': token }, cookie, { ...cookie, 'X-Device-Token': 'forged' }];
    app.clock.advance(1);
    for (const way of ways) {
      const answer = await right(app, user.email, { headers: way });
      expect(answer.status).toBe(200);
      const [id, expiry] = token.split('.');
      const renewed = answer.headers.get('X-Device-Token')?.split('.') ?? [];
      expect([renewed[0], renewed[1]]).toEqual([id, String(Number(expiry) + 1)]);
      await statuses(6, () => login(app, user.email));
    }
    expect((await right(app, user.email, { headers: { Cookie: `device=${token}` } })).status).toBe(429);
  });

  it('gets a cookie that works without TLS where the service has none', async () => {
    const { app, user } = await setUp({ variables: { ISSUER: 'http://localhost:8787' } });
    const { headers } = await right(app, user.email);
    const token = headers.get('X-Device-Token') ?? '';
    expect(headers.get('Set-Cookie')).toBe(`device=${token}; Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax`);
    await statuses(6, () => login(app, user.email));
    expect((await right(app, user.email, { headers: { Cookie: `device=${token}` } })).status).toBe(200);
  });

  it('is none by a token that is forged, expired or of another account, and that is no error', async () => {
    const { app, user } = await setUp();
    const device = await knownDevice(app, user.email);
    const foreign = await knownDevice(app, (await registerUser(app)).email);
    await statuses(5, () => login(app, user.email));
    const forged = { 'X-Device-Token': device['X-Device-Token'].replace(/\.\d+\./, '.99999999999.') };
    for (const headers of [forged, foreign, { 'X-Device-Token': '' }, { Cookie: '__Host-device=%00%ff"; x' }]) {
      expect((await right(app, user.email, { headers })).status).toBe(429);
      expect((await right(app, user.email, { headers, address: '203.0.113.1' })).status).toBe(200);
    }
    expect((await right(app, user.email, { headers: device })).status).toBe(200);
    app.clock.advance(180 * 86_400);
    await statuses(5, () => login(app, user.email));
    expect((await right(app, user.email, { headers: device })).status).toBe(429);
  });

  it('does not share the limit of its address', async () => {
    const { app, user } = await setUp({ variables: { LIMIT_LOGIN_ADDRESS: '2/60', LIMIT_LOGIN_DEVICE: '4/60' } });
    const device = await knownDevice(app, user.email);
    await statuses(3, () => login(app, 'nobody'));
    expect(await statuses(5, () => right(app, user.email, { headers: device }))).toEqual([200, 200, 200, 200, 429]);
  });

  it('of which somebody made many does not buy one address any number of sign-ins', async () => {
    const { app, hasher, user } = await setUp({ variables: { LIMIT_LOGIN_KNOWN_ADDRESS: '6/60' } });
    const devices = [];
    for (let count = 0; count < 4; count += 1) devices.push(await knownDevice(app, user.email));
    hasher.asked = 0;
    for (const headers of devices) await statuses(3, () => right(app, user.email, { headers }));
    expect(hasher.asked).toBe(6);
    expect((await right(app, user.email, { headers: devices[3] ?? {}, address: '203.0.113.1' })).status).toBe(200);
    expect((await right(app, user.email)).status).toBe(200);
  });
});
