// Node only: the Worker's store is Upstash, which has no cluster mode.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKeyValue } from '../../src/node/key-value.ts';
import { createLog } from '../../src/ops/log.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { testSecret } from '../support/secret.ts';
import { hasSharedKeyValue, issuer } from '../support/test-app.ts';

async function start(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const server = await startRedisServer(undefined, settings);
  if (server === undefined) throw new Error('There is no redis-server on the PATH');
  onTestFinished(() => server.stop());
  return server;
}

async function command(url: string, ...line: readonly string[]): Promise<unknown> {
  const client = createClient({ url });
  await client.connect();
  try {
    return await client.sendCommand([...line]);
  } finally {
    await client.close();
  }
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

/** Three nodes that share the slots, each of which knows the others. */
async function startCluster(): Promise<readonly RedisServer[]> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-cluster-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const nodes: { server: RedisServer; bus: number }[] = [];
  for (const name of ['a', 'b', 'c']) {
    const bus = await freePort();
    const settings = { 'cluster-enabled': 'yes', 'cluster-port': String(bus), dir: directory };
    nodes.push({ server: await start({ ...settings, 'cluster-config-file': name }), bus });
  }
  const slots = [0, 5461, 10_922, 16_384];
  for (const [index, { server }] of nodes.entries()) {
    const [from = 0, next = 0] = slots.slice(index);
    await command(server.url, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(next - 1));
    for (const other of nodes) {
      if (other.server === server) continue;
      await command(server.url, 'CLUSTER', 'MEET', '127.0.0.1', String(other.server.port), String(other.bus));
    }
  }
  const states = () => Promise.all(nodes.map(({ server }) => command(server.url, 'CLUSTER', 'INFO').then(String)));
  await expect
    .poll(async () => (await states()).every((state) => /state:ok/.test(state)), { timeout: 20_000 })
    .toBe(true);
  return nodes.map(({ server }) => server);
}

describe.skipIf(!hasSharedKeyValue())('a Redis that answers and cannot serve', () => {
  it('is refused at start where it is one of three nodes of a cluster', async () => {
    for (const { url } of await startCluster()) {
      expect(await command(url, 'PING')).toBe('PONG');
      expect(await open(url)).toMatch(/^Invalid configuration. REDIS_URL: this Redis runs in cluster mode, which/);
      expect(await pingCode(url)).toMatchObject({ code: expect.stringMatching(/^(CROSSSLOT|MOVED)$/) });
    }
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
