import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis/cloudflare';
import { describe, expect, inject, it } from 'vitest';
import { uniqueKey } from '../support/key-value-suite.ts';

const url = inject('upstashUrl') ?? '';

/** What the adapter is tested against must be like Upstash: the SDK as it comes works with it. */
describe.skipIf(url === '')('the bridge', () => {
  const token = `test-${crypto.randomUUID()}`;
  const redis = new Redis({ url: url || 'http://skipped.invalid', token, enableAutoPipelining: false });
  const post = (path: string, body: string, bearer = token) =>
    fetch(`${url}${path}`, { method: 'POST', headers: { Authorization: `Bearer ${bearer}` }, body });

  it('answers single commands, pipelines and transactions, in base64 as the SDK asks', async () => {
    const key = uniqueKey('bridge');
    expect(await redis.set(key, 'при\u0000вет', { ex: 60 })).toBe('OK');
    expect(await redis.get(key)).toBe('при\u0000вет');
    expect(await redis.ping()).toBe('PONG');
    expect(await redis.pipeline().get(key).exists(key).mget(key, 'absent').exec()).toEqual([
      'при\u0000вет',
      1,
      ['при\u0000вет', null],
    ]);
    expect(await redis.multi().set(key, 1, { ex: 60 }).incr(key).get(key).exec()).toEqual(['OK', 2, 2]);
  });

  it('runs the scripts of @upstash/ratelimit, whose first line plain Redis refuses', async () => {
    // A window that no test crosses: the whole of 2001 to 2033.
    const limiter = Ratelimit.slidingWindow(1, '1000000000 s');
    const ratelimit = new Ratelimit({ redis, limiter, ephemeralCache: false });
    const key = uniqueKey('bridge');
    const [first, second] = [await ratelimit.limit(key), await ratelimit.limit(key)];
    expect([first.success, second.success]).toEqual([true, false]);
    await ratelimit.resetUsedTokens(key);
  });

  it('knows a script by the SHA-1 of what was sent', async () => {
    const script = `#!lua flags=allow-key-locking\nreturn '${uniqueKey('script')}'`;
    const sha1 = await redis.scriptLoad(script);
    const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(script));
    expect(sha1).toBe([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
    expect(await redis.scriptExists(sha1)).toEqual([1]);
    expect(script).toContain(await redis.evalsha(sha1, [], []));
  });

  it('answers errors as Upstash does', async () => {
    const unknown = await post('', '["NOSUCH"]');
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      { error: expect.stringContaining('unknown command') },
    ]);
    const pipeline = await post('/pipeline', '[["NOSUCH"],["PING"]]');
    expect([pipeline.status, await pipeline.json()]).toEqual([
      200,
      [{ error: expect.stringContaining('unknown command') }, { result: 'PONG' }],
    ]);
    const [key, list] = [uniqueKey('bridge'), JSON.stringify(uniqueKey('bridge'))];
    const multi = await post('/multi-exec', `[["RPUSH",${list},"a"],["INCR",${list}],["EXPIRE",${list},1]]`);
    expect([multi.status, await multi.json()]).toEqual([
      200,
      [{ result: 1 }, { error: expect.stringContaining('WRONGTYPE') }, { result: 1 }],
    ]);
    expect((await post('/multi-exec', `[["SET","${key}"],["PING"]]`)).status).toBe(400);
    expect((await post('', 'not json')).status).toBe(400);
    expect((await post('', '["PING"]', 'another')).status).toBe(401);
  });

  it('counts what each token asks', async () => {
    const mine = { headers: { Authorization: `Bearer test-${crypto.randomUUID()}` } };
    const counters = async () => (await fetch(`${url}/counters`, mine)).json();
    expect(await counters()).toEqual({ requests: 0, commands: 0 });
    await fetch(`${url}/pipeline`, { ...mine, method: 'POST', body: '[["PING"],["PING"]]' });
    expect(await counters()).toEqual({ requests: 1, commands: 2 });
    await fetch(`${url}/counters`, { ...mine, method: 'DELETE' });
    expect(await counters()).toEqual({ requests: 0, commands: 0 });
  });
});
