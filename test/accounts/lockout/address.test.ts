import { describe, expect, it } from 'vitest';
import { runtime } from '#test-runtime';
import { limitKeysOf } from '../../../src/accounts/identifier.ts';
import { clearLockout } from '../../../src/limits/lockout.ts';
import { hasSharedKeyValue, testApp } from '../../support/test-app.ts';
import { login, right, setUp, statuses, wrong } from './guesses.ts';

describe('an account and an address', () => {
  it('are locked by five failures, for pauses that grow', async () => {
    const { app, user } = await setUp();
    expect(await statuses(6, () => login(app, user.email))).toEqual([401, 401, 401, 401, 401, 429]);
    const pauses = [];
    for (let round = 0; round < 8; round += 1) {
      const { status, headers, body } = await right(app, user.email);
      expect([status, body.code, body.detail]).toEqual([429, 'account_locked', expect.stringContaining('seconds')]);
      const pause = Number(headers.get('Retry-After'));
      pauses.push(pause);
      app.clock.advance(pause - 1);
      expect((await login(app, user.email)).status).toBe(429);
      app.clock.advance(1);
      expect((await login(app, user.email)).status).toBe(401);
    }
    expect(pauses).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600]);
    app.clock.advance(86_400);
    expect((await right(app, user.email)).status).toBe(200);
  });

  it('locked cost neither statement nor hash, and one round trip', async () => {
    const { app, hasher, user } = await setUp();
    await statuses(5, () => login(app, user.email));
    // The first are noted in the audit log, once the answer is out.
    await statuses(5, () => right(app, user.email));
    const before = [hasher.asked, app.statements.length, app.roundTrips()];
    expect(await statuses(3, () => right(app, user.email))).toEqual([429, 429, 429]);
    expect([hasher.asked, app.statements.length, app.roundTrips()]).toEqual([
      before[0],
      before[1],
      Number(before[2]) + 3,
    ]);
  });

  it('are locked by whatever spelling, and neither from elsewhere nor for somebody else', async () => {
    const { app, user } = await setUp();
    await login(app, user.email);
    await login(app, ` ${user.email.toUpperCase()} `);
    await app.request('POST', '/auth/login', { body: { email: user.email, password: wrong }, address: '198.51.100.1' });
    expect(await statuses(3, () => login(app, user.email))).toEqual([401, 401, 429]);
    expect((await right(app, user.email, { address: '203.0.113.1' })).status).toBe(200);
    expect((await login(app, 'somebody@example.com')).status).toBe(401);
  });

  it('forget the failures when the owner signs in', async () => {
    const { app, user } = await setUp();
    for (const round of [1, 2, 3]) {
      expect(await statuses(4, () => login(app, user.email)), `${round}`).toEqual([401, 401, 401, 401]);
      expect((await right(app, user.email)).status).toBe(200);
    }
    expect(await statuses(6, () => right(app, user.email))).toEqual(Array(6).fill(200));
  });

  it('let five of fifty guesses through that come at once', async () => {
    const { app, hasher, user } = await setUp();
    const answers = await Promise.all(Array.from({ length: 50 }, () => login(app, user.email)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(45);
    expect(hasher.asked).toBe(5);
  });

  it.skipIf(!hasSharedKeyValue())('are one for all replicas that share a store, at once too', async () => {
    // Without the deadline of 300 ms, since a busy machine may take longer, and each replica would count by itself.
    const open = () => ({ kv: runtime.openKeyValue({ token: `test-${crypto.randomUUID()}` }) ?? 'shared' }) as const;
    const { app, hasher, user } = await setUp(open());
    const other = await testApp({ ...open(), databaseUrl: app.databaseUrl, hasher });
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => login(index % 2 === 0 ? app : other, user.email)),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(hasher.asked).toBe(5);
    for (const replica of [app, other]) expect((await right(replica, user.email)).status).toBe(429);
    await clearLockout(other.deps, await limitKeysOf(other.deps, { emailKey: user.email, usernameKey: undefined }));
    for (const replica of [app, other]) expect((await right(replica, user.email)).status).toBe(200);
  });

  it('are no other for headers that a client can forge', async () => {
    const { app, user } = await setUp();
    let count = 0;
    const forged = () => {
      count += 1;
      const address = `203.0.113.${count}`;
      return login(app, user.email, {
        headers: {
          'X-Forwarded-For': address,
          'CF-Connecting-IP': address,
          'X-Real-IP': address,
          Forwarded: `for=${address}`,
        },
      });
    };
    expect(await statuses(6, forged)).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await right(app, user.email, { address: '203.0.113.1' })).status).toBe(200);
  });
});
