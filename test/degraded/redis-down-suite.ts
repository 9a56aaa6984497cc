import { beforeAll, describe, expect, it } from 'vitest';
import type { KeyValue } from '../../src/kv.ts';
import { withDeadline } from '../../src/platform/kv-deadline.ts';
import { password, registerUser, type TestApp, type TestAppOptions, testApp } from '../support/test-app.ts';
import { chosen } from './key-values.ts';

/** A shared store that a test may stop, and that comes back without what it held. */
export interface Store {
  /** The adapter of one isolate or replica. */
  open(): KeyValue;
  stop(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Longer than the store is left alone after a failure. Waited in real time, as the deadline measures it. */
const pauseOver = () => new Promise((resolve) => setTimeout(resolve, 1050));

const isUp = async ({ request }: TestApp) => (await request('GET', '/readyz')).body.status === 'ready';
/** Which of the ways a session can be used still work. A refresh leaves the person with the newest token. */
async function usesOf({ request }: TestApp, person: { access: string; refresh: string }): Promise<object> {
  const verify = await request('GET', '/auth/verify-token', { token: person.access });
  const me = await request('GET', '/users/me', { token: person.access });
  const refresh = await request('POST', '/auth/refresh', { body: { refresh_token: person.refresh } });
  if (refresh.status === 200) person.refresh = refresh.body.refresh_token;
  return { verify: verify.status, me: me.status, refresh: refresh.status };
}
const refused = { verify: 401, me: 401, refresh: 401 };
const accepted = { verify: 200, me: 200, refresh: 200 };

/** What the service promises while its key-value store is away, and after. */
export function redisDownSuite(createStore: () => Promise<Store>): void {
  describe('while the key-value store is away', () => {
    let store: Store;
    beforeAll(async () => {
      store = await createStore();
      return store.close;
    });

    async function openApp(options: TestAppOptions = {}): Promise<TestApp> {
      return await testApp({ ...options, kv: withDeadline(store.open()) });
    }

    /** Two replicas that have served for a while, and the store is up. */
    async function openReplicas(variables: TestAppOptions['variables'] = {}): Promise<[TestApp, TestApp]> {
      const one = await openApp({ variables });
      const other = await openApp({ variables, databaseUrl: one.databaseUrl, clock: one.clock });
      await expect.poll(() => isUp(one)).toBe(true);
      for (const app of [one, other]) expect(await usesOf(app, await registerUser(app))).toEqual(accepted);
      // Tokens of about the time when the store began to know are looked up.
      one.clock.advance(61);
      return [one, other];
    }

    async function comeBack(apps: readonly TestApp[]): Promise<void> {
      await store.restart();
      for (const app of apps) await expect.poll(() => isUp(app)).toBe(true);
    }

    it('everything goes on, and readiness says so', async () => {
      const [app] = await openReplicas();
      await store.stop();
      const { request } = app;
      const user = await registerUser(app);
      const login = await request('POST', '/auth/login', { body: { email: user.email, password } });
      const wrong = await request('POST', '/auth/login', { body: { email: user.email, password: 'wrong password' } });
      expect([login.status, wrong.status]).toEqual([200, 401]);
      expect(await usesOf(app, user)).toEqual(accepted);
      const answers = [
        await request('POST', '/auth/logout', { token: user.access }),
        await request('POST', '/auth/logout-all', { token: login.body.access_token }),
        await request('GET', '/.well-known/jwks.json'),
        await request('GET', '/health'),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const ready = await request('GET', '/readyz');
      expect([ready.status, ready.body]).toMatchObject([
        200,
        { status: 'degraded', dependencies: { database: { status: 'up' }, key_value: { status: 'down' } } },
      ]);
      await store.restart();

      expect(app.logLines.filter((line) => JSON.parse(line).level === 'error')).toEqual([]);
      for (const secret of [user.access, user.refresh, user.email])
        expect(app.logLines.join('\n')).not.toContain(secret);
    });

    it('revoked tokens stay refused, and good ones accepted, also after it has come back empty', async () => {
      const [one, other] = await openReplicas();
      const register = () => registerUser(one);
      const [endedBefore, endedMeanwhile, endedEverywhere, good] = [
        await register(),
        await register(),
        await register(),
        await register(),
      ];
      const check = async (apps: readonly TestApp[]) => {
        for (const app of apps) {
          for (const user of [endedBefore, endedMeanwhile, endedEverywhere]) {
            expect(await usesOf(app, user)).toEqual(refused);
          }
          expect(await usesOf(app, good)).toEqual(accepted);
        }
      };
      await one.request('POST', '/auth/logout', { body: { refresh_token: endedBefore.refresh } });
      await store.stop();
      await one.request('POST', '/auth/logout', { token: endedMeanwhile.access });
      await one.request('POST', '/auth/logout-all', { token: endedEverywhere.access });
      await check([one, other]);

      await comeBack([one, other]);
      const young = await openApp({ databaseUrl: one.databaseUrl, clock: one.clock });
      await check([one, other, young]);
      one.clock.advance(121);
      await check([one, other, young]);

      // A token issued from now on is trusted to the store again, and costs no statement.
      const next = await registerUser(one);
      const before = other.statements.length;
      expect((await other.request('GET', '/auth/verify-token', { token: next.access })).status).toBe(200);
      expect(other.statements.length).toBe(before);
    });

    it('what one replica revoked while only it was cut off, the others refuse once the scheduled work has run', async () => {
      const [one, other] = await openReplicas();
      const user = await registerUser(one);
      let cutOff = true;
      const kv = store.open();
      const away = await testApp({
        databaseUrl: one.databaseUrl,
        clock: one.clock,
        kv: { ...kv, run: (operations) => (cutOff ? Promise.reject(new Error('cut off')) : kv.run(operations)) },
      });
      expect((await away.request('POST', '/auth/logout', { token: user.access })).status).toBe(200);
      expect(await usesOf(away, user)).toEqual(refused);
      cutOff = false;
      await other.app.runScheduled();
      for (const app of [one, other, away]) expect(await usesOf(app, user)).toEqual(refused);
    });

    it('limits bite from the memory of the isolate', async () => {
      const [app] = await openReplicas({ LIMIT_LOGIN_ADDRESS: '3/3600', LIMIT_READ_USER: '5/3600' });
      const user = await registerUser(app);
      await store.stop();
      const login = () => app.request('POST', '/auth/login', { body: { email: user.email, password } });
      const me = () => app.request('GET', '/users/me', { token: user.access });
      const statuses = async (call: typeof login, times: number) => {
        const answers = [];
        for (let index = 0; index < times; index += 1) answers.push(await call());
        return answers.map(({ status }) => status);
      };
      // Half of what is set, since other replicas count by themselves too.
      expect(await statuses(login, 5)).toEqual([200, 200, 429, 429, 429]);
      expect(await statuses(me, 6)).toEqual([200, 200, 200, 429, 429, 429]);
      const { headers } = await login();
      expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
      expect([headers.get('RateLimit-Limit'), headers.get('RateLimit-Remaining')]).toEqual(['2', '0']);
      await store.restart();
    });
  });
}

/**
 * What a store costs that takes every request and answers none.
 * @param open an adapter of such a store
 */
export function blackHoleSuite(open: () => Promise<KeyValue>): void {
  it('a store that never answers costs one wait of 300 ms a second, whatever the number of requests', async () => {
    const hole = await open();
    let asked = 0;
    const counted = chosen(() => {
      asked += 1;
      return hole;
    });
    const app = await testApp({ kv: withDeadline(counted), variables: { LIMIT_READ_USER: '1000000/60' } });
    const user = await registerUser(app);
    const me = async () => expect((await app.request('GET', '/users/me', { token: user.access })).status).toBe(200);
    const probe = async () => {
      await pauseOver();
      const start = performance.now();
      await me();
      return performance.now() - start;
    };
    // The adapter alone would wait for a second. A busy machine adds to the time, so one probe of some tells.
    let first = await probe();
    for (let tries = 0; first >= 1000 && tries < 10; tries += 1) first = await probe();
    expect(first).toBeGreaterThan(290);
    expect(first).toBeLessThan(1000);
    // The others come within a second of a probe and wait for nothing, or make the next one.
    asked = 0;
    const start = performance.now();
    for (let requests = 0; requests < 10; requests += 1) await me();
    expect(asked).toBeLessThanOrEqual(1 + Math.floor((performance.now() - start) / 1000));
    expect(asked).toBeLessThan(10);
  });
}
