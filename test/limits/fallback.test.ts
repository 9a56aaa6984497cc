import { expect, it } from 'vitest';
import { type KeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** A shared store that a test may take away, and that a process takes for one. */
function shared(now: () => number) {
  const store = createMemoryKeyValue({ now });
  const told = { isAway: false };
  const kv: KeyValue = {
    ...store,
    kind: 'redis',
    run: (operations) => (told.isAway ? Promise.reject(new KeyValueUnavailable('unreachable')) : store.run(operations)),
  };
  return { kv, told };
}

const wrong = 'a wrong password';
const login = async ({ request }: TestApp, email: string, typed: string, address?: string) =>
  (await request('POST', '/auth/login', { body: { email, password: typed }, ...(address ? { address } : {}) })).status;
const many = async (times: number, call: () => Promise<number>) => {
  const statuses: number[] = [];
  for (let index = 0; index < times; index += 1) statuses.push(await call());
  return statuses;
};

async function setUp(variables: Readonly<Record<string, string>> = {}) {
  const clock = createClock();
  const { kv, told } = shared(clock.now);
  const app = await testApp({ clock, kv, variables });
  const { email } = await registerUser(app);
  return { app, clock, told, email };
}

it('a lock that was closed stays closed where the shared store goes away, and opens at its time', async () => {
  const { app, clock, told, email } = await setUp();
  expect(await many(6, () => login(app, email, wrong))).toEqual([401, 401, 401, 401, 401, 429]);
  told.isAway = true;
  expect(await login(app, email, password)).toBe(429);
  clock.advance(61);
  expect(await login(app, email, password)).toBe(200);
});

it('failures that the shared store counted count on in the process', async () => {
  const { app, told, email } = await setUp();
  expect(await many(4, () => login(app, email, wrong))).toEqual([401, 401, 401, 401]);
  told.isAway = true;
  // The fifth failure locks, as it would have.
  expect(await many(3, () => login(app, email, wrong))).toEqual([401, 429, 429]);
});

it('a process that counts alone locks after half as many failures', async () => {
  const { app, told, email } = await setUp();
  told.isAway = true;
  expect(await many(5, () => login(app, email, wrong))).toEqual([401, 401, 401, 429, 429]);
});

it('a store that goes away and comes back again and again buys two further guesses, once', async () => {
  const { app, told, email } = await setUp();
  const statuses: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    told.isAway = round % 2 === 1;
    statuses.push(await login(app, email, wrong));
  }
  // Five in the store, and two beside them until the process has its own lock. Each by itself would let through eleven.
  expect(statuses.filter((status) => status === 401)).toHaveLength(7);
});

it('a limit that is used up stays so, and one of which less than half is used lets through the other half', async () => {
  const { app, told, email } = await setUp({ LIMIT_LOGIN_ADDRESS: '8/3600' });
  const [busy, quiet] = ['198.51.100.1', '198.51.100.2'];
  expect(await many(5, () => login(app, email, password, busy))).toEqual([200, 200, 200, 200, 200]);
  expect(await many(4, () => login(app, email, password, quiet))).toEqual([200, 200, 200, 200]);
  told.isAway = true;
  expect(await many(2, () => login(app, email, password, busy))).toEqual([429, 429]);
  expect(await many(6, () => login(app, email, password, quiet))).toEqual([200, 200, 200, 200, 429, 429]);
});

it('a new password lifts the lock in the store and in the process', async () => {
  const { app, told, email } = await setUp();
  await many(5, () => login(app, email, wrong));
  await app.request('POST', '/auth/forgot-password', { body: { email } });
  const token = /token=([\w.-]+)/.exec(app.mails.findLast(({ text }) => /reset/i.test(text))?.text ?? '')?.[1];
  const next = 'another quiet pony on the stairs';
  expect((await app.request('POST', '/auth/reset-password', { body: { token, password: next } })).status).toBe(200);
  told.isAway = true;
  expect(await login(app, email, next)).toBe(200);
});
