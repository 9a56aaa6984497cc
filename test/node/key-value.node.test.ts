// Node only: the Worker's store is Upstash, which has no cluster mode.
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKeyValue } from '../../src/node/key-value.ts';
import { createLog } from '../../src/ops/log.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { command, startRedisCluster } from '../support/redis-cluster.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { testSecret } from '../support/secret.ts';
import { hasSharedKeyValue, issuer } from '../support/test-app.ts';

async function start(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const server = await startRedisServer(undefined, settings);
  if (server === undefined) throw new Error('There is no redis-server on the PATH');
  onTestFinished(() => server.stop());
  return server;
}

/** What the service would do at its start, with this address in `REDIS_URL`. */
async function open(url: string): Promise<string> {
  const config = readConfig({
    ENVIRONMENT: 'dev',
    AUTH_SECRET: testSecret,
    ISSUER: issuer,
    DATABASE_URL: 'postgres://h/d',
    REDIS_URL: url,
  });
  const log = createLog('silent', Date.now);
  return await createKeyValue(config, log, Date.now).then(
    async (kv) => {
      await kv.close();
      return 'opened';
    },
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
}

async function pingCode(url: string): Promise<unknown> {
  const kv = createRedisKeyValue({ url, timeout: 60_000 });
  const code = await kv.ping().catch((error: unknown) => error);
  await kv.close();
  return code;
}

describe.skipIf(!hasSharedKeyValue())('a Redis that answers and cannot serve', () => {
  it.each([1, 3])('is refused at start where it is one of %i nodes of a cluster', async (count) => {
    for (const { url } of await startRedisCluster(count)) {
      expect(await command(url, 'PING')).toBe('PONG');
      expect(await open(url)).toMatch(/^Invalid configuration. REDIS_URL: this Redis runs in cluster mode, which/);
      expect(await pingCode(url)).toMatchObject({ code: expect.stringMatching(/^(CROSSSLOT|MOVED)$/) });
    }
  });

  it('is refused at start where it is a node of a cluster that is not made yet', async () => {
    const [node] = await startRedisCluster(1, { isMade: false });
    expect(await open(node?.url ?? '')).toContain(
      'runs in cluster mode, which the service does not support (CLUSTERDOWN)',
    );
  });

  it('is refused at start where it is a replica, or its user may not run the commands', async () => {
    const { url, port } = await start();
    await command(url, ...'ACL SETUSER reader on >pw ~* +@read +ping'.split(' '));
    expect(await open(url)).toBe('opened');
    expect(await open(`redis://reader:pw@127.0.0.1:${port}`)).toContain(
      'may not run the commands of the service (NOPERM)',
    );
    const replica = await start({ replicaof: `127.0.0.1 ${port}` });
    await expect.poll(async () => await open(replica.url)).toContain('is a replica, which takes no writes (READONLY)');
  });

  it('has all that it needs with the rights that the message names', async () => {
    const { url, port } = await start();
    const rights = '~edge-auth:* +@read +@write +@scripting +@connection';
    await command(url, ...`ACL SETUSER service on >pw ${rights}`.split(' '));
    expect(await open(`redis://service:pw@127.0.0.1:${port}`)).toBe('opened');
    expect(await pingCode(`redis://service:pw@127.0.0.1:${port}`)).toBeUndefined();
  });
});
