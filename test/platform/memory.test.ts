import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { attemptSuite } from '../support/attempt-suite.ts';
import { keyValueSuite } from '../support/key-value-suite.ts';

keyValueSuite(() => createMemoryKeyValue({ now: Date.now }));
attemptSuite(() => createMemoryKeyValue({ now: Date.now }));

describe('the memory store', () => {
  let time = 0;
  const create = (capacity: number) => createMemoryKeyValue({ now: () => time, capacity });
  const limit = (key: string, count: number) => ({ type: 'limit', key, limit: count, window: 60 }) as const;
  const set = (key: string, ttl: number) => ({ type: 'set', key, value: 'a', ttl }) as const;
  const flood = async (kv: ReturnType<typeof create>, count: number) => {
    for (let index = 0; index < count; index += 1) await kv.run([limit(`flood ${index}`, 5)]);
  };

  it('forgets the counters used longest ago when there are too many', async () => {
    const kv = create(100);
    await kv.run([limit('old', 5), limit('in use', 5)]);
    for (let index = 0; index < 1000; index += 1) {
      await kv.run([limit(`flood ${index}`, 5), ...(index % 50 === 0 ? [limit('in use', 100)] : [])]);
    }
    const [old, inUse] = await kv.run([limit('old', 5), limit('in use', 100)]);
    expect([old.remaining, inUse.remaining]).toEqual([4, 78]);
  });

  it('keeps refusing those over the limit through a flood of other keys', async () => {
    const kv = create(100);
    await kv.run([limit('guesser', 1), limit('guesser', 1)]);
    await flood(kv, 10_000);
    const [result] = await kv.run([limit('guesser', 1)]);
    expect(result.success).toBe(false);
  });

  it('stays within its capacity when every counter is one that refuses', async () => {
    const kv = create(100);
    const first = limit('first', 0);
    await kv.run([{ ...first, limit: 1 }, first]);
    for (let index = 0; index < 1000; index += 1) await kv.run([limit(`refused ${index}`, 0)]);
    const [result] = await kv.run([{ ...first, limit: 1 }]);
    expect(result.success).toBe(true);
  });

  it('keeps accounts locked through a flood of failures of others, within its capacity', async () => {
    const kv = create(100);
    const attempt = async (key: string, failures: number) => {
      const counters = [{ key, failures, pause: 3600, longestPause: 3600, memory: 86_400 }];
      return (await kv.run([{ type: 'attempt', counters, resetKey: 'never', now: time }]))[0];
    };
    await attempt('locked', 1);
    await attempt('counted', 5);
    for (let index = 0; index < 10_000; index += 1) await attempt(`flood ${index}`, 5);
    expect(await attempt('locked', 1)).toMatchObject({ allowed: false });
    expect(await attempt('counted', 5)).toMatchObject({ failures: [1] });
    for (let index = 0; index < 1000; index += 1) await attempt(`locked too ${index}`, 1);
    expect(await attempt('locked', 1)).toMatchObject({ allowed: true });
  });

  it('loses no value to a flood of counters', async () => {
    const kv = create(100);
    await kv.run([set('mark', 60)]);
    await flood(kv, 1000);
    expect(await kv.run([{ type: 'get', keys: ['mark'] }])).toEqual([['a']]);
  });

  it('makes room by what has expired, and loses all values where that is not enough', async () => {
    const kv = create(10);
    await kv.run([set('mark', 1000)]);
    for (let index = 0; index < 9; index += 1) await kv.run([set(`short ${index}`, 1)]);
    time += 2000;
    for (let index = 0; index < 9; index += 1) await kv.run([set(`more ${index}`, 100)]);
    expect(await kv.run([{ type: 'get', keys: ['mark', 'more 0'] }])).toEqual([['a', 'a']]);
    await kv.run([set('one too many', 100)]);
    expect(await kv.run([{ type: 'get', keys: ['mark', 'more 0', 'one too many'] }])).toEqual([[null, null, 'a']]);
  });

  it('opens no window a second time when the clock steps back', async () => {
    const kv = create(100);
    time = 600_000;
    await kv.run([limit('a', 1)]);
    time -= 120_000;
    const [result] = await kv.run([limit('a', 1)]);
    expect(result.success).toBe(false);
  });
});
