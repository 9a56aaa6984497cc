import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { expect, onTestFinished } from 'vitest';
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts';

const slots = 16_384;

export async function command(url: string, ...line: readonly string[]): Promise<unknown> {
  const client = createClient({ url });
  await client.connect();
  try {
    return await client.sendCommand([...line]);
  } finally {
    await client.close();
  }
}

interface Options {
  /** Whether the nodes have slots, and know each other. */
  readonly isMade?: boolean;
  /** Where the first node listens. */
  readonly port?: number;
}

/** Nodes of a Redis in cluster mode that share the slots, until the test is over. */
export async function startRedisCluster(
  count: number,
  { isMade = true, port }: Options = {},
): Promise<readonly RedisServer[]> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-cluster-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const nodes: { server: RedisServer; bus: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    const bus = await freePort();
    const server = await startRedisServer(index === 0 ? port : undefined, {
      'cluster-enabled': 'yes',
      'cluster-port': String(bus),
      'cluster-config-file': `node-${index}`,
      dir: directory,
    });
    if (server === undefined) throw new Error('There is no redis-server on the PATH');
    onTestFinished(() => server.stop());
    nodes.push({ server, bus });
  }
  if (isMade) await makeCluster(nodes);
  return nodes.map(({ server }) => server);
}

async function makeCluster(nodes: readonly { readonly server: RedisServer; readonly bus: number }[]): Promise<void> {
  const share = (index: number) => Math.floor((index * slots) / nodes.length);
  for (const [index, { server }] of nodes.entries()) {
    await command(server.url, 'CLUSTER', 'ADDSLOTSRANGE', String(share(index)), String(share(index + 1) - 1));
    for (const other of nodes) {
      if (other.server === server) continue;
      await command(server.url, 'CLUSTER', 'MEET', '127.0.0.1', String(other.server.port), String(other.bus));
    }
  }
  const states = () => Promise.all(nodes.map(({ server }) => command(server.url, 'CLUSTER', 'INFO').then(String)));
  await expect
    .poll(async () => (await states()).every((state) => /state:ok/.test(state)), { timeout: 20_000 })
    .toBe(true);
}
