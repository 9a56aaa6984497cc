import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyValue } from '../../src/kv.ts';
import { type AttemptOperation, type Counter, longestAttempt } from '../../src/kv-attempts.ts';

const uniqueKey = (name: string): string => `${crypto.randomUUID()}:${name}`;

const start = Date.UTC(2026, 0, 1);
const minute = 60_000;
const hour = 3_600_000;
const day = 86_400_000;

/** Three failures lock it for a minute, then for two, four … up to ten. */
const counterOf = (name: string, rest: Partial<Counter> = {}): Counter => {
  return { key: uniqueKey(name), failures: 3, pause: 60, longestPause: 600, memory: 86_400, ...rest };
};

/**
 * What the port promises of attempts, for each adapter alike. The time is the caller's: nobody waits for it.
 * @param create gives an adapter of its own at each call
 */
export function attemptSuite(create: () => KeyValue): void {
  describe('attempts', () => {
    let kv: KeyValue;
    beforeAll(() => {
      kv = create();
    });
    afterAll(() => kv.close());

    const begin = async (counters: readonly Counter[], now = start, resetKey = 'never-reset') => {
      const [result] = await kv.run([{ type: 'attempt', counters, now, resetKey }]);
      return result;
    };
    const fail = (...counters: readonly Counter[]) =>
      kv.run(counters.map(({ key }) => ({ type: 'fail', key }) as const));
    /** One that turns out to be wrong. */
    const attempt = async (counters: readonly Counter[], ...rest: [now?: number, resetKey?: string]) => {
      const result = await begin(counters, ...rest);
      if (result.allowed) await fail(...counters);
      return result;
    };
    const several = async (times: number, counters: readonly Counter[], now = start) => {
      const results = [];
      for (let time = 0; time < times; time += 1) results.push((await attempt(counters, now)).allowed);
      return results;
    };
    const forgive = ({ key }: Counter, all = false) => kv.run([{ type: 'forgive', key, all }]);

    it('are counted before their outcome is known, and locked from so many on', async () => {
      const counter = counterOf('pair');
      expect(await attempt([counter])).toEqual({ allowed: true, isPending: false, until: 0, failures: [1] });
      expect(await attempt([counter])).toEqual({ allowed: true, isPending: false, until: 0, failures: [2] });
      expect(await attempt([counter])).toEqual({ allowed: true, isPending: false, until: 0, failures: [3] });
      const refused = { allowed: false, isPending: false, until: start + minute, failures: [3] };
      expect(await attempt([counter])).toEqual(refused);
      expect(await attempt([counter], start + minute - 1)).toEqual(refused);
      expect(await attempt([counter], start + minute)).toEqual({
        allowed: true,
        isPending: false,
        until: 0,
        failures: [4],
      });
    });

    it('pause for twice as long after each further one, up to the longest pause', async () => {
      const counter = counterOf('pair');
      let now = start;
      const pauses = [];
      await several(2, [counter]);
      for (let round = 0; round < 7; round += 1) {
        expect((await attempt([counter], now)).allowed).toBe(true);
        const { until } = await attempt([counter], now);
        pauses.push((until - now) / 1000);
        now = until;
      }
      expect(pauses).toEqual([60, 120, 240, 480, 600, 600, 600]);
      const hopeless = counterOf('hopeless', { failures: 1, pause: 1, longestPause: 1, memory: 1e6 });
      for (now = start; now < start + 1_100_000; now += 10_000) await attempt([hopeless], now);
      expect((await attempt([hopeless], now)).allowed).toBe(true);
    });

    it('are forgotten a while after the first of them, and never while they lock', async () => {
      const counter = counterOf('pair');
      await attempt([counter], start);
      await attempt([counter], start + day - 1);
      expect(await attempt([counter], start + day)).toMatchObject({ failures: [1] });
      const brief = counterOf('brief', { failures: 1, pause: 7200, longestPause: 7200, memory: 3600 });
      await attempt([brief]);
      expect(await attempt([brief], start + 2 * hour - 1)).toMatchObject({ allowed: false });
      expect(await attempt([brief], start + 2 * hour)).toEqual({
        allowed: true,
        isPending: false,
        until: 0,
        failures: [1],
      });
    });

    it('count on all counters, or on none where one is locked', async () => {
      const [pair, account] = [counterOf('pair'), counterOf('account', { failures: 5 })];
      expect(await several(10, [pair, account])).toEqual([true, true, true, ...Array(7).fill(false)]);
      expect(await attempt([account])).toMatchObject({ failures: [4] });
      const other = counterOf('other');
      expect(await attempt([other, account])).toEqual({ allowed: true, isPending: false, until: 0, failures: [1, 5] });
      expect(await attempt([other, account])).toEqual({
        allowed: false,
        isPending: false,
        until: start + minute,
        failures: [1, 5],
      });
      expect(await attempt([other])).toMatchObject({ failures: [2] });
    });

    it('go through as often at once as in a row', async () => {
      const counters = [counterOf('pair'), counterOf('account', { failures: 100 })];
      const results = await Promise.all(Array.from({ length: 50 }, () => attempt(counters)));
      expect(results.filter(({ allowed }) => allowed)).toHaveLength(3);
      expect(await attempt(counters)).toMatchObject({ failures: [3, 3] });
    });

    it('are taken back one by one, with the lock that the last one made', async () => {
      const counter = counterOf('account');
      await several(3, [counter]);
      expect(await attempt([counter])).toMatchObject({ allowed: false });
      expect(await forgive(counter)).toEqual([true]);
      expect(await several(2, [counter])).toEqual([true, false]);
      // Without the fourth it is the third that locked it, whose pause is over.
      expect(await attempt([counter], start + minute)).toMatchObject({ allowed: true, failures: [4] });
      expect(await attempt([counter], start + minute)).toMatchObject({ allowed: false });
      await forgive(counter);
      expect(await attempt([counter], start + minute)).toMatchObject({ allowed: true, failures: [4] });
      expect(await attempt([counter], start + minute)).toMatchObject({ until: start + 3 * minute });
      await forgive(counter);
      for (let times = 0; times < 3; times += 1) await forgive(counter);
      expect(await forgive(counter)).toEqual([false]);
      expect(await attempt([counter])).toMatchObject({ failures: [1] });
    });

    it('are taken back all at once', async () => {
      const counter = counterOf('pair');
      await several(3, [counter]);
      expect(await forgive(counter, true)).toEqual([true]);
      expect(await forgive(counter, true)).toEqual([false]);
      expect(await several(4, [counter])).toEqual([true, true, true, false]);
    });

    it('under way lock too, and it shows that they may turn out to be right', async () => {
      const [pair, account] = [counterOf('pair'), counterOf('account', { failures: 100 })];
      for (let times = 0; times < 3; times += 1) {
        expect(await begin([pair, account])).toMatchObject({ allowed: true, isPending: false });
      }
      const refused = { allowed: false, isPending: true, until: start + minute, failures: [3, 3] };
      for (let times = 0; times < 3; times += 1) {
        expect(await begin([pair, account])).toEqual(refused);
        expect(await fail(pair, account)).toEqual([true, true]);
      }
      expect(await begin([pair, account])).toEqual({ ...refused, isPending: false });
      expect(await fail(pair, account)).toEqual([false, false]);
      expect(await fail(counterOf('never counted'))).toEqual([false]);
    });

    it('under way hide no lock that others have made', async () => {
      const [pair, account] = [counterOf('pair', { failures: 1 }), counterOf('account', { failures: 1 })];
      await begin([pair]);
      expect(await begin([pair, account])).toMatchObject({ allowed: false, isPending: true });
      await attempt([account]);
      expect(await begin([pair, account])).toMatchObject({ allowed: false, isPending: false });
    });

    it('under way stay counted when one that is right takes back what was', async () => {
      const counter = counterOf('pair');
      await attempt([counter]);
      await begin([counter]);
      await begin([counter]);
      expect(await begin([counter])).toMatchObject({ isPending: true });
      await forgive(counter, true);
      expect(await begin([counter])).toMatchObject({ allowed: true, failures: [2] });
      expect(await begin([counter])).toMatchObject({ allowed: true, failures: [3] });
      expect(await fail(counter, counter, counter)).toEqual([true, true, true]);
      expect(await begin([counter])).toMatchObject({ allowed: false, isPending: false });
    });

    it('whose outcome is never told are failures after a while', async () => {
      const counter = counterOf('pair');
      for (let times = 0; times < 3; times += 1) await begin([counter]);
      expect(await begin([counter], start + longestAttempt - 1)).toMatchObject({ allowed: false, isPending: true });
      expect(await begin([counter], start + longestAttempt)).toMatchObject({ allowed: false, isPending: false });
      expect(await begin([counter], start + minute)).toMatchObject({ allowed: true, failures: [4] });
      expect(await begin([counter], start + minute)).toMatchObject({ allowed: false, isPending: true });
      await fail(counter);
      expect(await begin([counter], start + minute)).toMatchObject({ allowed: false, isPending: false });
    });

    it('are void once the reset key was written', async () => {
      const [pair, account, resetKey] = [counterOf('pair'), counterOf('account'), uniqueKey('reset')];
      const tries = async (times: number) => {
        const results = [];
        for (let time = 0; time < times; time += 1) results.push(await attempt([pair, account], start, resetKey));
        return results.map(({ allowed }) => allowed);
      };
      for (const value of ['a', 'b']) {
        expect(await tries(4)).toEqual([true, true, true, false]);
        await kv.run([{ type: 'set', key: resetKey, value, ttl: 60 }]);
      }
      expect(await tries(4)).toEqual([true, true, true, false]);
      // The key has run out: what began under it goes on.
      await kv.run([{ type: 'set', key: resetKey, value: 'c', ttl: 60 }]);
      expect(await tries(2)).toEqual([true, true]);
      expect(await attempt([pair, account])).toMatchObject({ allowed: true, failures: [3, 3] });
    });

    it('of no counter, or under any text as a key, are no failure of the store', async () => {
      expect(await attempt([])).toEqual({ allowed: true, isPending: false, until: 0, failures: [] });
      for (const name of ['', 'line\r\nbreak', '🙂', 'half \ud83d pair', '\0', 'long'.repeat(5000)]) {
        const counter = counterOf(name);
        expect(await several(4, [counter])).toEqual([true, true, true, false]);
        expect(await forgive(counter, true)).toEqual([true]);
      }
    });

    it('count apart from windows and values of the same key', async () => {
      const counter = counterOf('a');
      const [limit, , tried, values] = await kv.run([
        { type: 'limit', key: counter.key, limit: 1, window: 60 },
        { type: 'set', key: counter.key, value: 'text', ttl: 60 },
        { type: 'attempt', counters: [counter], now: start, resetKey: 'never-reset' },
        { type: 'get', keys: [counter.key] },
      ]);
      expect([limit.success, tried.failures, values]).toEqual([true, [1], ['text']]);
    });

    it('with numbers that make no sense are refused', async () => {
      const good = { type: 'attempt', counters: [counterOf('a')], now: start, resetKey: 'a' } as const;
      const wrong: AttemptOperation[] = [-1, 0.5, Number.NaN].map((now) => ({ ...good, now }));
      for (const rest of [{ failures: 0 }, { failures: 1.5 }, { pause: 0 }, { longestPause: -1 }, { memory: Infinity }])
        wrong.push({ ...good, counters: [counterOf('a', rest)] });
      for (const operation of wrong) await expect(kv.run([operation])).rejects.toThrow(RangeError);
    });
  });
}

/**
 * What a store adds that several processes share.
 * @param send a command sent past the adapter
 */
export function sharedAttemptSuite(create: () => KeyValue, send: (...command: string[]) => Promise<unknown>): void {
  describe('attempts on a shared store', () => {
    const attempt = { type: 'attempt', now: start, resetKey: 'never-reset' } as const;

    it('are counted together, and leave nothing behind for ever', async () => {
      const [one, other] = [create(), create()];
      const counter = counterOf('pair');
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).run([{ ...attempt, counters: [counter] }])),
      );
      expect(results.filter(([{ allowed }]) => allowed)).toHaveLength(3);
      const left = Number(await send('PTTL', `edge-auth:attempt:${counter.key}`));
      expect(left).toBeGreaterThan(day - minute);
      expect(left).toBeLessThanOrEqual(day);
      await Promise.all([one.close(), other.close()]);
    });

    it('that an older version has counted are failures', async () => {
      const kv = create();
      const counter = counterOf('pair');
      const numbers = { failures: 3, since: start, until: start + minute, forget: start + day };
      const fields = Object.entries(numbers).flatMap(([name, number]) => [name, String(number)]);
      await send('HSET', `edge-auth:attempt:${counter.key}`, ...fields, 'reset', '');
      const run = (now: number) => kv.run([{ ...attempt, now, counters: [counter] }]);
      expect(await run(start)).toMatchObject([{ allowed: false, isPending: false, failures: [3] }]);
      expect(await run(start + minute)).toMatchObject([{ allowed: true, failures: [4] }]);
      expect(await run(start + minute)).toMatchObject([{ allowed: false, isPending: true }]);
      await kv.close();
    });

    it('are no permission where the store answers with an error', async () => {
      const kv = create();
      const counter = counterOf('pair');
      const run = () => kv.run([{ ...attempt, counters: [counter] }]);
      await send('RPUSH', `edge-auth:attempt:${counter.key}`, 'x');
      await expect(run()).rejects.toMatchObject({ name: 'KeyValueUnavailable' });
      await send('DEL', `edge-auth:attempt:${counter.key}`);
      expect(await run()).toMatchObject([{ allowed: true, failures: [1] }]);
      await kv.close();
    });
  });
}
