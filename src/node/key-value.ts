import type { Config } from '../config.ts';
import type { KeyValue } from '../kv.ts';
import type { Log } from '../ops/log.ts';
import { withDeadline } from '../platform/kv-deadline.ts';
import { createMemoryKeyValue } from '../platform/memory.ts';

/** Redis where `REDIS_URL` is set, else the memory of this process. */
export async function createKeyValue({ redisUrl }: Config, log: Log, now: () => number): Promise<KeyValue> {
  if (redisUrl !== undefined) {
    const onStateChange = (state: 'up' | 'down') => log.warn('key_value_store', { state });
    // The SDK takes a while to load, so only where it is used.
    const { createRedisKeyValue } = await import('../platform/redis.ts');
    const redis = createRedisKeyValue({ url: redisUrl, now });
    // Connects before the first request has to wait for it; the service starts without Redis too.
    await redis.ping().catch(() => undefined);
    return withDeadline(redis, { now, onStateChange });
  }
  return createMemoryKeyValue({ now });
}
