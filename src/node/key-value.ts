import { type Config, ConfigError } from '../config.ts';
import { type KeyValue, KeyValueUnavailable } from '../kv.ts';
import type { Log } from '../ops/log.ts';
import { withDeadline } from '../platform/kv-deadline.ts';
import { createMemoryKeyValue } from '../platform/memory.ts';

/** What Redis answers where it will never do: waiting does not help. */
const refusals: Readonly<Record<string, string>> = {
  CROSSSLOT: 'this Redis runs in cluster mode, which the service does not support',
  MOVED: 'this Redis runs in cluster mode, which the service does not support',
  CLUSTERDOWN: 'this Redis runs in cluster mode, which the service does not support',
  NOPERM: 'the user of this Redis may not run the commands of the service',
  READONLY: 'this Redis is a replica, which takes no writes',
};
const remedies: Readonly<Record<string, string>> = {
  NOPERM: 'Give it `~edge-auth:* +@read +@write +@scripting +@connection` (ACL SETUSER)',
  READONLY: 'Name the primary',
};
const otherRedis = 'Name a Redis with cluster mode disabled. Replicas and failover are fine';

/** @throws {ConfigError} where Redis answers, and no request could use it */
function refuse(error: unknown): void {
  const code = error instanceof KeyValueUnavailable ? error.code : '';
  if (!Object.hasOwn(refusals, code)) return;
  throw new ConfigError(
    `Invalid configuration. REDIS_URL: ${refusals[code]} (${code}). ${remedies[code] ?? otherRedis}`,
  );
}

/** Redis where `REDIS_URL` is set, else the memory of this process. */
export async function createKeyValue({ redisUrl }: Config, log: Log, now: () => number): Promise<KeyValue> {
  if (redisUrl !== undefined) {
    const onStateChange = (state: 'up' | 'down') => log.warn('key_value_store', { state });
    // The SDK takes a while to load, so only where it is used.
    const { createRedisKeyValue } = await import('../platform/redis.ts');
    const redis = createRedisKeyValue({ url: redisUrl, now });
    // Connects before the first request has to wait for it; the service starts without Redis too.
    await redis.ping().catch((error: unknown) => refuse(error));
    return withDeadline(redis, { now, onStateChange });
  }
  return createMemoryKeyValue({ now });
}
