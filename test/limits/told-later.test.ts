import { expect, it } from 'vitest';
import { type KeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, password, registerUser, testApp } from '../support/test-app.ts';

/** A store that is left alone from when the test says so, until somebody has been turned away for it. */
async function overPausedStore() {
  const clock = createClock();
  const memory = createMemoryKeyValue(clock);
  const store = { isPaused: false, turnedAway: 0 };
  const run: KeyValue['run'] = async (operations) => {
    if (!store.isPaused) return await memory.run(operations);
    store.turnedAway += 1;
    throw new KeyValueUnavailable('paused');
  };
  let gate = Promise.resolve();
  let asked = 0;
  const app = await testApp({
    clock,
    kv: { ...memory, kind: 'redis', run },
    hasher: {
      hash: async () => 'stored',
      verify: async (typed, stored) => {
        asked += 1;
        await gate;
        return { valid: stored !== null && typed === password, needsUpgrade: false };
      },
    },
  });
  const { email } = await registerUser(app);
  const signIn = async (typed: string) =>
    (await app.request('POST', '/auth/login', { body: { identifier: email, password: typed } })).status;
  /** Five are counted, and end while the store is left alone. */
  const five = async (typed: string) => {
    asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const statuses = Promise.all(Array.from({ length: 5 }, () => signIn(typed)));
    await expect.poll(() => asked).toBe(5);
    store.isPaused = true;
    store.turnedAway = 0;
    resolve();
    await expect.poll(() => store.turnedAway).toBe(5);
    store.isPaused = false;
    return await statuses;
  };
  return { app, five, signIn };
}

it('right sign-ins that end while the store is left alone are taken back when it is asked again', async () => {
  const { app, five, signIn } = await overPausedStore();
  expect(await five(password)).toEqual(Array(5).fill(200));
  const before = app.roundTrips();
  expect(await signIn(password)).toBe(200);
  // It was let in at once, and waited for none of them.
  expect(app.roundTrips() - before).toBe(2);
});

it('wrong ones that end so are failures when it is asked again, and others do not wait for them', async () => {
  const { app, five, signIn } = await overPausedStore();
  expect(await five('wrong password')).toEqual(Array(5).fill(401));
  const before = app.roundTrips();
  expect(await signIn(password)).toBe(429);
  expect(app.roundTrips() - before).toBeLessThanOrEqual(2);
});
