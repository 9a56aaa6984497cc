// Node only: it starts and stops servers.
import { createServer, type RequestListener } from 'node:http';

import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { withDeadline } from '../../src/platform/kv-deadline.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { createUpstashKeyValue } from '../../src/platform/upstash.ts';
import { everythingIn, uniqueKey } from '../support/key-value-suite.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { startUpstashBridge, type UpstashBridge } from '../support/upstash-bridge.ts';

const counter = { key: uniqueKey('c'), failures: 1e6, pause: 1, longestPause: 1, memory: 60 };
const operations = [
  { type: 'limit', key: uniqueKey('a'), limit: 1000, window: 60 },
  { type: 'get', keys: [uniqueKey('b')] },
  { type: 'attempt', counters: [counter], resetKey: uniqueKey('d'), now: Date.now() },
] as const;

/** How a run went and how many milliseconds it took. */
async function timed(kv: KeyValue) {
  const start = performance.now();
  const outcome = await kv.run(operations).then(
    () => 'answered',
    (error: unknown) => (error instanceof KeyValueUnavailable ? error.code : error),
  );
  return { outcome, took: performance.now() - start };
}

const own = await startRedisServer();

describe.skipIf(own === undefined)('a Redis that goes away', () => {
  let server: RedisServer;
  let bridge: UpstashBridge;
  const adapters = (port: number): readonly KeyValue[] => [
    createRedisKeyValue({ url: `redis://127.0.0.1:${port}`, timeout: 800 }),
    createUpstashKeyValue({ url: bridge.url, token: 'test-outage' }),
  ];

  beforeAll(async () => {
    if (own === undefined) throw new Error('skipped');
    server = own;
    bridge = await startUpstashBridge({ redisUrl: server.url });
  });
  afterAll(async () => {
    await bridge.stop();
    await server.stop();
  });

  it('is asked again with the script, in the same run, after it has lost its scripts', async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    for (const kv of adapters(server.port)) {
      await kv.run(operations);
      await client.scriptFlush();
      const before = bridge.counters('test-outage').requests;
      const [limit, values] = await kv.run(operations);
      expect([limit.success, values]).toEqual([true, [null]]);
      if (kv.kind === 'upstash') expect(bridge.counters('test-outage').requests - before).toBe(2);
      await kv.run(operations);
      if (kv.kind === 'upstash') expect(bridge.counters('test-outage').requests - before).toBe(3);
      await kv.close();
    }
    await client.close();
  });

  it('rejects in time while it is away, and answers again when it is back', async () => {
    const states: string[] = [];
    const kvs = adapters(server.port).map((kv) =>
      withDeadline(kv, {
        milliseconds: 1500,
        pause: 200,
        onStateChange: (state) => states.push(`${kv.kind} ${state}`),
      }),
    );
    for (const kv of kvs) expect(await timed(kv)).toMatchObject({ outcome: 'answered' });
    await server.stop();
    for (const kv of kvs) {
      const first = await timed(kv);
      expect(first.outcome).not.toBe('answered');
      expect(await timed(kv)).toMatchObject({ outcome: 'paused' });
    }
    const restarted = await startRedisServer(server.port);
    if (restarted === undefined) throw new Error('no redis-server');
    server = restarted;
    for (const kv of kvs) await expect.poll(() => timed(kv)).toMatchObject({ outcome: 'answered' });
    expect(states.sort()).toEqual(['redis down', 'redis up', 'upstash down', 'upstash up']);
    await Promise.all(kvs.map((kv) => kv.close()));
  });

  it('is connected to anew when a connection goes silent', async () => {
    const proxy = await startTcpProxy(server.port);
    const kv = createRedisKeyValue({ url: `redis://127.0.0.1:${proxy.port}`, timeout: 600 });
    expect(await timed(kv)).toMatchObject({ outcome: 'answered' });
    proxy.freeze();
    const { outcome, took } = await timed(kv);
    expect(outcome).toBe('timeout');
    expect(took).toBeGreaterThan(590);
    expect(await timed(kv)).toMatchObject({ outcome: 'answered' });
    await kv.close();
    await proxy.stop();
  });

  it('names no credential when it refuses one', async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    await client.configSet('requirepass', 'right-secret');
    for (const [credentials, code] of [
      ['user:wrong-secret@', 'WRONGPASS'],
      ['', 'NOAUTH'],
    ]) {
      const kv = createRedisKeyValue({ url: `redis://${credentials}127.0.0.1:${server.port}` });
      const error = await kv.run(operations).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'KeyValueUnavailable', code });
      expect(everythingIn(error)).not.toContain('secret');
      await kv.close();
    }
    const kv = createRedisKeyValue({ url: `redis://:right-secret@127.0.0.1:${server.port}/1` });
    expect(await timed(kv)).toMatchObject({ outcome: 'answered' });
    await kv.close();
    await client.configSet('requirepass', '');
    await client.close();
  });
});

describe('a store that is not there', () => {
  it.each([
    ['redis', createRedisKeyValue({ url: 'redis://:secret@127.0.0.1:1' })],
    ['upstash', createUpstashKeyValue({ url: 'http://127.0.0.1:1', token: 'secret' })],
  ])('is rejected at once (%s)', async (_, kv) => {
    for (const _ of [1, 2]) {
      expect(await timed(kv)).toMatchObject({ outcome: 'unreachable' });
    }
    expect(everythingIn(await kv.ping().catch((reason: unknown) => reason))).not.toMatch(/secret|127/);
    await kv.close();
  });

  it('is not looked for after the adapter was closed', async () => {
    const kv = createRedisKeyValue({ url: 'redis://127.0.0.1:1' });
    await kv.close();
    expect(await timed(kv)).toMatchObject({ outcome: 'closed' });
    await expect(kv.ping()).rejects.toThrow(KeyValueUnavailable);
  });

  it.each([
    ['a page of a proxy', 502, '<h1>Bad gateway</h1>', 'unreachable'],
    ['a page of a captive portal', 200, '<h1>Welcome</h1>', 'unreachable'],
    ['JSON of something else', 200, '{"result":"OK"}', 'unreachable'],
    ['fewer replies than commands', 200, '[]', 'refused'],
    ['permissions of another shape', 200, '[{"result":"OK"},{"result":[null]}]', 'refused'],
    ['an error of its own', 429, '{"error":"ERR max requests limit exceeded"}', 'ERR'],
  ])('may have something else in its place: %s', async (_, status, body, code) => {
    const { kv, stop } = await pretend((_request, response) => response.writeHead(status).end(body));
    expect(await timed(kv)).toMatchObject({ outcome: code });
    await stop();
  });

  it('is not asked twice when an answer is lost: the hit may have been counted', async () => {
    let requests = 0;
    const { kv, stop } = await pretend((request) => {
      requests += 1;
      request.socket.destroy();
    });
    expect(await timed(kv)).toMatchObject({ outcome: 'unreachable' });
    expect(requests).toBe(1);
    await stop();
  });
});

/** An adapter for Upstash, and what it takes for Upstash. */
async function pretend(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { kv: createUpstashKeyValue({ url: `http://127.0.0.1:${address.port}`, token: 'test' }), stop };
}

describe('a store that accepts connections and never answers', () => {
  const adapters: readonly [string, (port: number, timeout: number) => KeyValue][] = [
    ['redis', (port, timeout) => createRedisKeyValue({ url: `redis://127.0.0.1:${port}`, timeout })],
    ['redis with a password', (port, timeout) => createRedisKeyValue({ url: `redis://:a@127.0.0.1:${port}`, timeout })],
    ['upstash', (port, timeout) => createUpstashKeyValue({ url: `http://127.0.0.1:${port}`, token: 'test', timeout })],
  ];

  it.each(adapters)('costs one wait of 300 milliseconds (%s)', async (_, create) => {
    const hole = await startTcpProxy();
    const kv = withDeadline(create(hole.port, 1500));
    const { outcome, took } = await timed(kv);
    expect(outcome).toBe('timeout');
    expect(took).toBeGreaterThan(290);
    const next = await Promise.all([timed(kv), timed(kv), timed(kv)]);
    expect(next.map((result) => result.outcome)).toEqual(['paused', 'paused', 'paused']);
    await hole.stop();
    await kv.close();
  });

  it.each(adapters)(
    'is given up by the adapter, so that nothing piles up behind the deadline (%s)',
    async (_, create) => {
      const hole = await startTcpProxy();
      const kv = create(hole.port, 200);
      const { outcome, took } = await timed(kv);
      expect(outcome).toBe('timeout');
      expect(took).toBeGreaterThan(190);
      await hole.stop();
      await kv.close();
    },
  );
});
