import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { inject } from 'vitest';
import { createDirectoryAssets } from '../../src/platform/assets-directory.ts';
import { createNodeHashing } from '../../src/platform/hashing-node.ts';
import { createPostgres, databaseOn, openPool } from '../../src/platform/postgres.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { createRedisStreamWriter } from '../../src/platform/redis-stream-tcp.ts';
import { createNodePost } from '../../src/platform/webhook-node.ts';
import type { Runtime } from './runtime.ts';

/** A connection costs Postgres more than most tests do, and a database goes from test to test. */
const kept = new Map<string, pg.Pool>();

function keptPool(url: string): pg.Pool {
  const known = kept.get(url);
  if (known !== undefined) return known;
  const pool = openPool({ url, poolSize: 10 });
  // The next test with this database may be a while away.
  pool.options.idleTimeoutMillis = 0;
  kept.set(url, pool);
  return pool;
}

/** What is under way may still write, and the database is about to be somebody else's. */
async function quiet(pool: pg.Pool): Promise<void> {
  while (pool.waitingCount > 0 || pool.idleCount < pool.totalCount) await sleep(2);
}

/** What `src/node.ts` would use. */
export const runtime: Runtime = {
  name: 'node',
  hashing: createNodeHashing(),
  assets: createDirectoryAssets('dist/docs'),
  openDatabase({ url, logger, isKept = false }) {
    if (!isKept) return createPostgres({ url, poolSize: 10, logger });
    const pool = keptPool(url);
    return { db: databaseOn(pool, logger), close: () => quiet(pool) };
  },
  openKeyValue({ redisUrl }) {
    const url = redisUrl ?? inject('redisUrl');
    // A busy machine takes longer than a second; how long a store of their own may take, tests find out.
    const patience = redisUrl === undefined ? { timeout: 60_000 } : {};
    return url === null ? undefined : createRedisKeyValue({ url, ...patience });
  },
  createPost: ({ allowPrivate }) => createNodePost(allowPrivate),
  openStreamWriter() {
    const url = inject('redisUrl');
    return url === null ? undefined : createRedisStreamWriter(url);
  },
};
