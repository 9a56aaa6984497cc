import { type Config, ConfigError } from '../config.ts';
import type { EventSinkConfig } from '../config-events.ts';
import type { Sink } from '../events/sink.ts';
import type { Log } from '../ops/log.ts';

const onlyWorkers = 'Invalid configuration. EVENTS_QUEUE: only Workers have queues';
const noRedis = 'Invalid configuration. EVENTS_REDIS_STREAM: needs REDIS_URL on Node';

/**
 * Who takes the events of a Node process. The SDKs take a while to load, so only those that are used are.
 * @throws {ConfigError} where one needs Workers
 */
export async function createNodeSinks({ eventSinks, redisUrl }: Config, log: Log): Promise<Sink[]> {
  const create = async (sink: EventSinkConfig): Promise<Sink> => {
    switch (sink.kind) {
      case 'rabbitmq':
        return (await import('./rabbitmq.ts')).createRabbitmq(sink, log);
      case 'queue':
        throw new ConfigError(onlyWorkers);
      case 'redis-stream': {
        if (redisUrl === undefined) throw new ConfigError(noRedis);
        const { createRedisStream } = await import('./redis-stream.ts');
        const { createRedisStreamWriter } = await import('./redis-stream-tcp.ts');
        return createRedisStream(sink, createRedisStreamWriter(redisUrl));
      }
      case 'webhook': {
        const { createWebhook } = await import('./webhook.ts');
        const { createNodePost } = await import('./webhook-node.ts');
        return createWebhook(sink, createNodePost(sink.allowPrivate));
      }
    }
  };
  return await Promise.all(eventSinks.map(create));
}
