// On Node only: it holds up the event loop, for which workerd stops its clock.
import { describe, expect, inject, it } from 'vitest';
import { withDeadline } from '../../src/platform/kv-deadline.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { hasSharedKeyValue } from '../support/test-app.ts';

/** Keeps the loop from doing anything else. */
function holdUp(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('a loop that was held up', () => {
  it('does not count as an outage of a store that has answered meanwhile', async () => {
    const states: string[] = [];
    const memory = createMemoryKeyValue({ now: Date.now });
    const answered = Promise.withResolvers<void>();
    const kv = withDeadline(
      { ...memory, ping: () => answered.promise },
      { milliseconds: 60, onStateChange: (state) => states.push(state) },
    );
    const ping = kv.ping();
    // The answer is read when the loop gets to it, after timers that are long over.
    setImmediate(() => answered.resolve());
    holdUp(200);
    await ping;
    expect(states).toEqual([]);
  });

  it.skipIf(!hasSharedKeyValue())('does not cut the connection to Redis', async () => {
    const states: string[] = [];
    const redis = createRedisKeyValue({ url: inject('redisUrl') ?? '', timeout: 400 });
    const kv = withDeadline(redis, { milliseconds: 200, onStateChange: (state) => states.push(state) });
    // Connecting is not what is held up here.
    await expect
      .poll(() =>
        kv
          .ping()
          .then(() => true)
          .catch(() => false),
      )
      .toBe(true);
    states.splice(0);
    for (let times = 0; times < 2; times += 1) {
      const ping = kv.ping();
      holdUp(700);
      await ping;
    }
    await kv.close();
    expect(states).toEqual([]);
  });
});
