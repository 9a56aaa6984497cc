import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type KeyValue, KeyValueUnavailable, type LimitOperation } from '../../src/kv.ts';

/** A key that no other test uses, so that all files may share one Redis. */
export const uniqueKey = (name: string): string => `${crypto.randomUUID()}:${name}`;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The start of a one-minute window. Dates stand still in the suite: only `at` moves them. */
const start = Date.UTC(2026, 0, 1);
const at = (milliseconds: number) => vi.setSystemTime(start + milliseconds);

/**
 * The promises of the port, for each adapter alike.
 * @param create gives an adapter of its own at each call; on a shared store they meet in the same keys
 */
export function keyValueSuite(create: () => KeyValue): void {
  describe('the key-value port', () => {
    let kv: KeyValue;
    const perMinute = (limit: number): LimitOperation => ({
      type: 'limit',
      key: uniqueKey('limit'),
      limit,
      window: 60,
    });
    const hit = async (operation: LimitOperation) => (await kv.run([operation]))[0];

    beforeAll(() => {
      vi.useFakeTimers({ toFake: ['Date'], now: start });
      kv = create();
    });
    afterAll(async () => {
      await kv.close();
      vi.useRealTimers();
    });

    it('lets one more hit through for each that is given back', async () => {
      const operation = perMinute(2);
      const back = () => kv.run([{ ...operation, type: 'return' }]);
      for (let hits = 0; hits < 2; hits += 1) expect(await hit(operation)).toMatchObject({ success: true });
      expect(await back()).toEqual([true]);
      expect(await hit(operation)).toMatchObject({ success: true, remaining: 0 });
      expect(await hit(operation)).toMatchObject({ success: false });
      // In the next window, of one that still weighs on it.
      at(60_000);
      expect(await hit(operation)).toMatchObject({ success: false });
      expect(await back()).toEqual([true]);
      expect(await hit(operation)).toMatchObject({ success: true });
      at(0);
    });

    it('lets as many hits through as the limit says and refuses those beyond', async () => {
      const operation = perMinute(2);
      const reset = start + 60_000;
      expect(await hit(operation)).toEqual({ success: true, limit: 2, remaining: 1, reset });
      expect(await hit(operation)).toEqual({ success: true, limit: 2, remaining: 0, reset });
      expect(await hit(operation)).toEqual({ success: false, limit: 2, remaining: 0, reset });
      expect(await hit(perMinute(0))).toMatchObject({ success: false, remaining: 0 });
    });

    it('slides the window: hits of the last one weigh by how much of it is still covered', async () => {
      const operation = perMinute(4);
      for (let index = 0; index < 4; index += 1) await hit(operation);
      at(60_000);
      expect(await hit(operation)).toMatchObject({ success: false });
      at(90_000);
      expect(await hit(operation)).toMatchObject({ success: true, remaining: 1, reset: start + 120_000 });
      expect(await hit(operation)).toMatchObject({ success: true, remaining: 0 });
      expect(await hit(operation)).toMatchObject({ success: false });
      at(240_000);
      expect(await hit(operation)).toMatchObject({ success: true, remaining: 3 });
      at(0);
    });

    it('lets exactly the limit through when hits come at once', async () => {
      const operation = perMinute(10);
      const results = await Promise.all(Array.from({ length: 100 }, () => hit(operation)));
      expect(results.filter(({ success }) => success)).toHaveLength(10);
    });

    it('counts several hits of one run one after the other', async () => {
      const operation = perMinute(1);
      const [first, second] = await kv.run([operation, operation]);
      expect([first.success, second.success]).toEqual([true, false]);
    });

    it.each([
      '',
      '1',
      '007',
      'true',
      'null',
      '{}',
      '["a"]',
      '"quoted"',
      'OK',
      'T0s=',
      '\u{feff}bom',
      'при\r\nвет 🙂\0',
    ])('gives the string %j back as it was', async (value) => {
      const key = uniqueKey('value');
      expect(await kv.run([{ type: 'set', key, value, ttl: 60 }])).toEqual([true]);
      expect(await kv.run([{ type: 'get', keys: [key] }])).toEqual([[value]]);
    });

    it('gives null for what is not there, in the order asked', async () => {
      const key = uniqueKey('present');
      const [, values] = await kv.run([
        { type: 'set', key, value: 'here', ttl: 60 },
        { type: 'get', keys: [uniqueKey('absent'), key, uniqueKey('absent')] },
      ]);
      expect(values).toEqual([null, 'here', null]);
    });

    it('replaces a value, unless told to write only where there is none', async () => {
      const key = uniqueKey('value');
      const results = await kv.run([
        { type: 'set', key, value: 'a', ttl: 60, ifAbsent: true },
        { type: 'set', key, value: 'b', ttl: 60, ifAbsent: true },
        { type: 'get', keys: [key] },
        { type: 'set', key, value: 'c', ttl: 60 },
        { type: 'get', keys: [key] },
      ]);
      expect(results).toEqual([true, false, ['a'], true, ['c']]);
    });

    it('forgets a value after its ttl, and keeps one without', async () => {
      const [short, endless] = [uniqueKey('short'), uniqueKey('endless')];
      const [, , values] = await kv.run([
        { type: 'set', key: short, value: 'a', ttl: 0.1 },
        { type: 'set', key: endless, value: 'b' },
        { type: 'get', keys: [short, endless] },
      ]);
      expect(values).toEqual(['a', 'b']);
      await sleep(150);
      at(150);
      expect(await kv.run([{ type: 'get', keys: [short, endless] }])).toEqual([[null, 'b']]);

      // A ttl that is over counts as one millisecond, and leaves nothing of this test behind.
      await kv.run([{ type: 'set', key: endless, value: 'c', ttl: -1 }]);
      await sleep(20);
      at(200);
      expect(await kv.run([{ type: 'get', keys: [endless] }])).toEqual([[null]]);
      at(0);
    });

    it('keeps counters and values apart under one key', async () => {
      const operation = perMinute(2);
      const window = Math.floor(start / 60_000);
      const key = `${operation.key}:${window}`;
      await kv.run([
        { type: 'set', key: operation.key, value: 'text', ttl: 60 },
        { type: 'set', key, value: 'text', ttl: 60 },
      ]);
      expect(await hit(operation)).toMatchObject({ success: true, remaining: 1 });
      expect(await kv.run([{ type: 'get', keys: [operation.key, key] }])).toEqual([['text', 'text']]);
    });

    it.each(['with space', 'line\r\nbreak', '*', '🙂', 'half \ud83d pair', '\0', 'long'.repeat(5000)])(
      'takes any text for a key (%#)',
      async (name) => {
        const key = uniqueKey(name);
        const [limit, , values] = await kv.run([
          { type: 'limit', key, limit: 1, window: 60 },
          { type: 'set', key, value: 'a', ttl: 60 },
          { type: 'get', keys: [key] },
        ]);
        expect([limit.success, values]).toEqual([true, ['a']]);
      },
    );

    const addition = (key: string, amounts: Readonly<Record<string, number>>, id: string = crypto.randomUUID()) =>
      ({
        type: 'add',
        key,
        id,
        memory: 60,
        ttl: 60,
        now: Date.now(),
        amounts: new Map(Object.entries(amounts)),
      }) as const;

    it('adds to many numbers under one key, and reads them all', async () => {
      const key = uniqueKey('sums');
      const results = await kv.run([
        { type: 'sums', key },
        addition(key, { a: 1, 'b "é\n': 2 ** 40 }),
        addition(key, { a: 2, c: -1 }),
        { type: 'sums', key },
        { type: 'get', keys: [key] },
      ]);
      const sums = new Map(Object.entries({ a: 3, 'b "é\n': 2 ** 40, c: -1 }));
      expect(results).toEqual([new Map(), true, true, sums, [null]]);
      expect(await kv.run([addition(key, {})])).toEqual([true]);
      const many = Array.from({ length: 2000 }, (_, index) => [`field ${index}`, index] as const);
      await kv.run([addition(key, Object.fromEntries(many))]);
      const [all] = await kv.run([{ type: 'sums', key }]);
      expect([all.size, all.get('field 1999')]).toEqual([2003, 1999]);
    });

    it('adds once what is sent again under the same id, while that is remembered', async () => {
      const key = uniqueKey('sums');
      const same = addition(key, { a: 1 }, 'same');
      expect(await kv.run([same, same, { ...same, id: 'other' }])).toEqual([true, false, true]);
      const results = await kv.run([
        { ...same, now: start + 59_999 },
        { ...same, now: start + 60_000 },
        { type: 'sums', key },
      ]);
      expect(results).toEqual([false, true, new Map([['a', 3]])]);
      const [first, second] = await Promise.all(
        [1, 2].map(async () => (await kv.run([addition(key, { b: 1 }, 'at once')]))[0]),
      );
      expect([first, second].filter(Boolean)).toHaveLength(1);
    });

    it('forgets sums that nothing was added to for their ttl', async () => {
      const key = uniqueKey('sums');
      await kv.run([{ ...addition(key, { a: 1 }), ttl: 0.1 }]);
      await sleep(150);
      at(150);
      expect(await kv.run([{ type: 'sums', key }])).toEqual([new Map()]);
      at(0);
    });

    it('has nothing to do for no operations and for no keys', async () => {
      expect(await kv.run([])).toEqual([]);
      expect(await kv.run([{ type: 'get', keys: [] }])).toEqual([[]]);
    });

    it('refuses numbers that make no sense', async () => {
      const limit = { type: 'limit', key: 'a', limit: 1, window: 1 } as const;
      for (const bad of [-1, 1.5, Number.NaN])
        await expect(kv.run([{ ...limit, limit: bad }])).rejects.toThrow(RangeError);
      for (const bad of [0, -1, Number.NaN])
        await expect(kv.run([{ ...limit, window: bad }])).rejects.toThrow(RangeError);
      const set = { type: 'set', key: 'a', value: 'b', ttl: Number.NaN } as const;
      await expect(kv.run([set])).rejects.toThrow(RangeError);
      for (const bad of [0.5, Number.NaN, 2 ** 53])
        await expect(kv.run([addition('a', { b: bad })])).rejects.toThrow(RangeError);
      for (const bad of [{ memory: 0 }, { ttl: -1 }, { now: 0.5 }])
        await expect(kv.run([{ ...addition('a', {}), ...bad }])).rejects.toThrow(RangeError);
    });

    it('answers a ping', async () => {
      await expect(kv.ping()).resolves.toBeUndefined();
    });
  });
}

/**
 * What a store adds that several processes share.
 * @param send a command sent past the adapter
 */
export function sharedKeyValueSuite(create: () => KeyValue, send: (...command: string[]) => Promise<unknown>): void {
  describe('a shared store', () => {
    // In the middle of a window, however long the test takes.
    beforeAll(() => {
      vi.useFakeTimers({ toFake: ['Date'], now: start + 30_000 });
    });
    afterAll(() => {
      vi.useRealTimers();
    });

    it('shares windows and values between processes', async () => {
      const [one, other] = [create(), create()];
      const limit = { type: 'limit', key: uniqueKey('limit'), limit: 3, window: 3600 } as const;
      const key = uniqueKey('value');
      const [first] = await one.run([limit, { type: 'set', key, value: 'a', ttl: 60 }]);
      const [second, values] = await other.run([limit, { type: 'get', keys: [key] }]);
      expect([first.remaining, second.remaining, values]).toEqual([2, 1, ['a']]);
      await Promise.all([one.close(), other.close()]);
    });

    it('rejects the whole run when one command fails, and names neither key nor value', async () => {
      const kv = create();
      const key = uniqueKey('secret-key');
      // A window of 10^9 seconds: all of 2001 to 2033 is number one. A list cannot be counted up.
      const counter = `edge-auth:limit:${key}:1`;
      await send('RPUSH', counter, 'x');
      await send('EXPIRE', counter, '60');
      const error = await kv
        .run([
          { type: 'set', key: uniqueKey('value'), value: 'secret-value', ttl: 60 },
          { type: 'limit', key, limit: 1, window: 1e9 },
        ])
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(KeyValueUnavailable);
      expect(error).toMatchObject({ code: expect.stringMatching(/^(WRONGTYPE|ERR)$/) });
      expect(everythingIn(error)).not.toContain('secret');
      await kv.close();
    });

    it('leaves no counter behind for ever', async () => {
      const kv = create();
      const key = uniqueKey('limit');
      await kv.run([{ type: 'limit', key, limit: 1, window: 1e9 }]);
      expect(Number(await send('TTL', `edge-auth:limit:${key}:1`))).toBeGreaterThan(1e9);
      await send('DEL', `edge-auth:limit:${key}:1`);
      await kv.close();
    });
  });
}

/** All that a logger could find in an error. */
export function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const own = Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]);
  return `${error} ${JSON.stringify(own)} ${error.cause === undefined ? '' : everythingIn(error.cause)}`;
}
