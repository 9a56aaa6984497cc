// Node only: workerd has Upstash, this is the adapter for TCP.
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { attemptSuite, sharedAttemptSuite } from '../support/attempt-suite.ts';
import { keyValueSuite, sharedKeyValueSuite, uniqueKey } from '../support/key-value-suite.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const url = inject('redisUrl') ?? '';

describe.skipIf(url === '')('Redis', () => {
  const client = createClient({ url: url === '' ? 'redis://127.0.0.1' : url, RESP: 2 });
  // A busy machine takes longer than a second for a hundred commands at once.
  const create = () => createRedisKeyValue({ url, timeout: 60_000 });

  beforeAll(() => client.connect());
  afterAll(() => client.close());

  keyValueSuite(create);
  attemptSuite(create);
  sharedKeyValueSuite(create, (...command) => client.sendCommand(command));
  sharedAttemptSuite(create, (...command) => client.sendCommand(command));

  it('writes all commands of one run at once, from the first on', async () => {
    const { hostname, port, password } = new URL(url);
    const proxy = await startTcpProxy(Number(port || 6379), hostname);
    const kv = createRedisKeyValue({ url: Object.assign(new URL(url), { host: `127.0.0.1:${proxy.port}` }).href });
    const operations = [
      { type: 'limit', key: uniqueKey('a'), limit: 5, window: 60 },
      { type: 'get', keys: [uniqueKey('b')] },
      { type: 'limit', key: uniqueKey('c'), limit: 5, window: 60 },
      { type: 'set', key: uniqueKey('d'), value: 'e', ttl: 60 },
      {
        type: 'attempt',
        counters: [{ key: uniqueKey('e'), failures: 5, pause: 1, longestPause: 1, memory: 60 }],
        resetKey: 'f',
        now: 0,
      },
      { type: 'forgive', key: uniqueKey('g') },
    ] as const;
    // A password is sent when connecting.
    const greetings = password === '' ? 0 : 1;
    for (const count of [1, 2, 3]) {
      await kv.run(operations);
      expect(proxy.sent()).toBe(greetings + count);
    }
    await kv.close();
    await proxy.stop();
  });

  it('counts exactly as the memory store does', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    const [redis, memory] = [create(), createMemoryKeyValue({ now: Date.now })];
    const keys = [uniqueKey('a'), uniqueKey('b')];
    for (let step = 0; step < 1500; step += 1) {
      vi.setSystemTime(Date.now() + Math.floor(Math.random() ** 4 * 30_000));
      const hits = keys.flatMap((key, index) => [
        { type: 'limit', key, limit: 7, window: 10 + index } as const,
        { type: 'limit', key, limit: 20, window: 61.5 } as const,
      ]);
      const [expected, actual] = await Promise.all([redis.run(hits), memory.run(hits)]);
      expect(actual, `step ${step} at ${Date.now()}`).toEqual(expected);
    }
    vi.useRealTimers();
    await redis.close();
  });

  it('counts attempts exactly as the memory store does', async () => {
    const [redis, memory] = [create(), createMemoryKeyValue({ now: Date.now })];
    const random = (below: number) => Math.floor(Math.random() * below);
    const resetKey = uniqueKey('reset');
    const counters = [
      { key: uniqueKey('pair'), failures: 3, pause: 5, longestPause: 60, memory: 300 },
      { key: uniqueKey('account'), failures: 10, pause: 100, longestPause: 100, memory: 100 },
    ];
    let now = Date.UTC(2026, 0, 1);
    for (let step = 0; step < 1000; step += 1) {
      now += random(2) * random(20_000);
      const { key } = counters[random(2)] ?? { key: '' };
      const operations = [
        { type: 'attempt', counters: counters.slice(0, 1 + random(2)), resetKey, now } as const,
        ...(random(3) === 0 ? [{ type: 'forgive', key, all: random(2) === 0 } as const] : []),
        ...(random(40) === 0 ? [{ type: 'set', key: resetKey, value: String(step) } as const] : []),
      ];
      const [expected, actual] = await Promise.all([redis.run(operations), memory.run(operations)]);
      expect(actual, `step ${step}`).toEqual(expected);
    }
    await redis.run([{ type: 'set', key: resetKey, value: '', ttl: 0 }]);
    await redis.close();
  });
});

it('refuses an address that is none without repeating it', () => {
  for (const wrong of ['secret', 'http://user:secret@host', 'redis://host/secret']) {
    expect(() => createRedisKeyValue({ url: wrong })).toThrow(
      new TypeError('The Redis address is not a redis:// or rediss:// URL'),
    );
  }
});
