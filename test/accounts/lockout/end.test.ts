import { describe, expect, it } from 'vitest';
import { limitKeysOf } from '../../../src/accounts/identifier.ts';
import { Problem } from '../../../src/errors.ts';
import { clearLockout } from '../../../src/limits/lockout.ts';
import { createMemoryKeyValue } from '../../../src/platform/memory.ts';
import { createClock, password } from '../../support/test-app.ts';
import { knownDevice, login, right, setUp, statuses } from './guesses.ts';

describe('a lockout', () => {
  it('is lifted whole, in one round trip', async () => {
    const { app, user } = await setUp({ variables: { LOCKOUT_ACCOUNT: '12/3600/3600/3600' } });
    const device = await knownDevice(app, user.email);
    const { body } = await app.request('GET', '/users/me', { token: user.access });
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
    for (const address of addresses) await statuses(5, () => login(app, user.email, { address }));
    for (const address of addresses.slice(0, 2)) await statuses(5, () => login(app, body.username, { address }));
    await statuses(5, () => login(app, user.email, { headers: device }));
    const all = async () => [
      ...(await Promise.all(addresses.map((address) => right(app, user.email, { address })))),
      await right(app, body.username, { address: '10.0.0.1' }),
      await right(app, user.email, { headers: device }),
      await right(app, user.email, { address: '203.0.113.1' }),
    ];
    expect((await all()).map(({ status }) => status)).toEqual(Array(6).fill(429));
    const before = app.roundTrips();
    await clearLockout(app.deps, await limitKeysOf(app.deps, { emailKey: user.email, usernameKey: body.username }));
    expect(app.roundTrips() - before).toBe(1);
    expect((await all()).map(({ status }) => status)).toEqual(Array(6).fill(200));
    // And from then on it counts again.
    expect(await statuses(6, () => login(app, user.email))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('is not hastened by an outage of the database or by too much to do', async () => {
    const { app, hasher, user } = await setUp();
    const { verify } = hasher;
    for (const name of ['unavailable', 'overloaded'] as const) {
      hasher.verify = async () => {
        throw new Problem(name);
      };
      expect(await statuses(10, () => right(app, user.email))).toEqual(Array(10).fill(503));
    }
    hasher.verify = verify;
    expect((await right(app, user.email)).status).toBe(200);
  });

  it('that is over does not begin anew by what is no failure', async () => {
    const { app, hasher, user } = await setUp();
    const { verify } = hasher;
    await statuses(5, () => login(app, user.email));
    app.clock.advance(60);
    hasher.verify = async () => {
      throw new Problem('unavailable');
    };
    expect(await statuses(3, () => right(app, user.email))).toEqual([503, 503, 503]);
    hasher.verify = verify;
    expect((await right(app, user.email)).status).toBe(200);
  });

  it('is kept in the memory of the process while the store is away, which no sign-in waits for', async () => {
    const clock = createClock();
    const memory = createMemoryKeyValue(clock);
    let isAway = false;
    const never = Promise.withResolvers<never>();
    let isForgetful = false;
    const kv: typeof memory = {
      ...memory,
      kind: 'redis',
      run: (operations) => {
        if (isAway) return Promise.reject(new Error('away'));
        if (isForgetful && operations.some(({ type }) => type === 'forgive')) return never.promise;
        return memory.run(operations);
      },
    };
    const { app, user } = await setUp({ clock, kv });
    await statuses(3, () => login(app, user.email));
    isAway = true;
    // The process knows of three, and alone it lets through half as many.
    expect(await statuses(3, () => login(app, user.email))).toEqual([401, 429, 429]);
    const elsewhere = { address: '203.0.113.1' };
    expect(await statuses(6, () => right(app, user.email, elsewhere))).toEqual(Array(6).fill(200));
    await clearLockout(app.deps, await limitKeysOf(app.deps, { emailKey: user.email, usernameKey: undefined }));
    expect((await right(app, user.email)).status).toBe(200);
    isAway = false;
    isForgetful = true;
    const sent = new Request('https://auth.test/auth/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ identifier: user.email, password }),
    });
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    expect((await app.app.fetch(sent, { clientAddress: '203.0.113.1' }, context)).status).toBe(200);
  });
});
