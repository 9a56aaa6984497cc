import { beforeAll, describe, expect, it } from 'vitest';
import { runtime } from '#test-runtime';
import type { KeyValue } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import {
  createClock,
  createDatabase,
  hasSharedKeyValue,
  password,
  registerUser,
  type TestApp,
  type TestAppOptions,
  testApp,
} from '../support/test-app.ts';

/** Takes the one password, and as long as the test wants. */
function gatedHasher() {
  let gate = Promise.resolve();
  const hasher = {
    asked: 0,
    /** Those asked from now on wait until the function that it gives is called. */
    close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    hash: async () => 'stored',
    verify: async (typed: string, stored: string | null) => {
      hasher.asked += 1;
      await gate;
      return { valid: stored !== null && typed === password, needsUpgrade: false };
    },
  };
  return hasher;
}

/** One for all tests: making a signing key takes longer than they do. */
let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await createDatabase();
});

/** Each has an address of its own, since what is shared remembers how often each has asked. */
let address: string;

async function setUp(options: TestAppOptions) {
  address = `10.${crypto.getRandomValues(new Uint8Array(3)).join('.')}`;
  const hasher = gatedHasher();
  const app = await testApp({ hasher, databaseUrl, ...options });
  return { app, hasher, user: await registerUser(app) };
}

const wrong = 'wrong password';
const signIn = async ({ request }: TestApp, identifier: string, typed = password, device?: string) => {
  const body = { identifier, password: typed };
  const shown = device === undefined ? {} : { 'X-Device-Token': device };
  const { status, headers } = await request('POST', '/auth/login', { body, address, headers: shown });
  return { status, retryAfter: headers.get('Retry-After'), device: headers.get('X-Device-Token') ?? '' };
};
const times = <Result>(count: number, work: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

const stores = [
  ['the memory of the process', () => 'memory' as const],
  // Without the deadline of 300 ms, since a busy machine may take longer, and the process would count by itself.
  ['a store that is shared', () => runtime.openKeyValue({ token: `test-${crypto.randomUUID()}` }) ?? 'shared'],
] as const;

describe.each(stores)('sign-ins at once for one account, counted in %s', (name, open) => {
  const isMissing = name !== 'the memory of the process' && !hasSharedKeyValue();

  it.skipIf(isMissing)('all succeed with the right password, and leave nothing counted', async () => {
    const { app, user } = await setUp({ kv: open() });
    const answers = await times(20, () => signIn(app, user.email));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    for (let count = 0; count < 5; count += 1)
      expect(await signIn(app, user.email, wrong)).toMatchObject({ status: 401 });
    expect(await signIn(app, user.email)).toMatchObject({ status: 429 });
  });

  it.skipIf(isMissing)('with wrong ones get no further than five in a row, and the lock closes', async () => {
    const { app, hasher, user } = await setUp({ kv: open() });
    const answers = await times(50, () => signIn(app, user.email, wrong));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status, retryAfter }) => status === 429 && retryAfter === '60')).toHaveLength(45);
    expect(hasher.asked).toBe(5);
    expect(await signIn(app, user.email)).toMatchObject({ status: 429, retryAfter: '60' });
    app.clock.advance(60);
    expect(await signIn(app, user.email)).toMatchObject({ status: 200 });
  });

  it.skipIf(isMissing)('succeed with the right password beside four wrong ones', async () => {
    const { app, user } = await setUp({ kv: open() });
    const answers = await times(12, (index) => signIn(app, user.email, index < 4 ? wrong : password));
    expect(answers.map(({ status }) => status)).toEqual([...Array(4).fill(401), ...Array(8).fill(200)]);
  });
});

describe('sign-ins at once with the right password', () => {
  it.skipIf(!hasSharedKeyValue())('all succeed on replicas that share a store', async () => {
    const { app, hasher, user } = await setUp({ kv: stores[1][1]() });
    const other = await testApp({ kv: stores[1][1](), databaseUrl, hasher, clock: app.clock });
    const answers = await times(20, (index) => signIn(index % 2 === 0 ? app : other, user.email));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });

  it('all succeed from a device that is known, and from one that only its token takes for known', async () => {
    const { app, user } = await setUp({});
    const { device } = await signIn(app, user.email);
    const several = async () =>
      (await times(12, () => signIn(app, user.email, password, device))).map(({ status }) => status);
    expect(await several()).toEqual(Array(12).fill(200));
    await app.request('POST', '/api/delete', { body: { login: user.email, password } });
    await app.request('POST', '/auth/register', { body: { email: user.email, password } });
    expect(await several()).toEqual(Array(12).fill(200));
  });
});

describe('a sign-in that waits for others', () => {
  it('is let in as soon as one of them was right, and refused once all were wrong', async () => {
    const { app, hasher, user } = await setUp({});
    for (const typed of [password, wrong]) {
      hasher.asked = 0;
      const open = hasher.close();
      const five = times(5, () => signIn(app, user.email, typed));
      await expect.poll(() => hasher.asked).toBe(5);
      const before = app.roundTrips();
      const sixth = signIn(app, user.email);
      await expect.poll(() => app.roundTrips() - before).toBeGreaterThan(2);
      expect(hasher.asked).toBe(5);
      open();
      expect(await sixth).toMatchObject({ status: typed === password ? 200 : 429 });
      await five;
    }
  });

  it('is answered 503 where they take too long, which uses up no limit', async () => {
    let late = 0;
    const { app, hasher, user } = await setUp({
      steady: () => performance.now() + late,
      variables: { LIMIT_LOGIN_ADDRESS: '7/60' },
    });
    const open = hasher.close();
    const five = times(5, () => signIn(app, user.email));
    await expect.poll(() => hasher.asked).toBe(5);
    for (let count = 0; count < 4; count += 1) {
      const before = app.roundTrips();
      const sixth = signIn(app, user.email);
      await expect.poll(() => app.roundTrips() - before).toBeGreaterThan(1);
      late += 10_000;
      expect(await sixth).toMatchObject({ status: 503, retryAfter: '2' });
    }
    open();
    expect((await five).map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(await signIn(app, user.email)).toMatchObject({ status: 200 });
  });

  it('goes on in the memory of the process when the store goes away', async () => {
    const clock = createClock();
    const memory = createMemoryKeyValue(clock);
    let isAway = false;
    const run: KeyValue['run'] = (operations) => (isAway ? Promise.reject(new Error('away')) : memory.run(operations));
    const { app, hasher, user } = await setUp({ clock, kv: { ...memory, kind: 'redis', run } });
    const open = hasher.close();
    const five = times(5, () => signIn(app, user.email));
    await expect.poll(() => hasher.asked).toBe(5);
    const sixth = signIn(app, user.email);
    isAway = true;
    open();
    expect((await five).map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(await sixth).toMatchObject({ status: 200 });
  });

  it('is counted nowhere when its client goes', async () => {
    const { app, hasher, user } = await setUp({});
    const open = hasher.close();
    const five = times(5, () => signIn(app, user.email));
    await expect.poll(() => hasher.asked).toBe(5);
    const gone = new AbortController();
    const body = { identifier: user.email, password: wrong };
    const before = app.roundTrips();
    const sixth = app.request('POST', '/auth/login', { body, address, signal: gone.signal });
    await expect.poll(() => app.roundTrips() - before).toBeGreaterThan(1);
    gone.abort();
    await sixth.catch(() => undefined);
    open();
    await five;
    expect(hasher.asked).toBe(5);
    for (let count = 0; count < 5; count += 1)
      expect(await signIn(app, user.email, wrong)).toMatchObject({ status: 401 });
  });
});
