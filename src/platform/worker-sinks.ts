import { type Config, ConfigError } from '../config.ts';
import type { EventSinkConfig } from '../config-events.ts';
import type { Sink } from '../events/sink.ts';
import { createCloudflareQueue, isQueue } from './cloudflare-queue.ts';
import { createRedisStream } from './redis-stream.ts';
import { createUpstashStreamWriter } from './redis-stream-upstash.ts';
import { createWebhook } from './webhook.ts';
import { fetchPost } from './webhook-fetch.ts';

/**
 * Who takes the events of a Worker. They hold no connection, so all requests of an isolate may share them.
 * @param bindings of the Worker: the queue is `EVENTS`
 * @throws {ConfigError} where one needs connections of its own, or a binding is missing
 */
export function createWorkerSinks(
  { eventSinks, upstash }: Config,
  bindings: Readonly<Record<string, unknown>>,
): Sink[] {
  const create = (sink: EventSinkConfig): Sink => {
    switch (sink.kind) {
      case 'rabbitmq':
        throw new ConfigError(
          'Invalid configuration. RABBITMQ_URL: Workers cannot use RabbitMQ. Set EVENTS_QUEUE instead',
        );
      case 'queue': {
        const queue = bindings['EVENTS'];
        if (!isQueue(queue)) throw new ConfigError('Invalid configuration. EVENTS_QUEUE: no queue is bound as EVENTS');
        return createCloudflareQueue(sink.name, queue);
      }
      case 'redis-stream':
        if (upstash === undefined) {
          throw new ConfigError('Invalid configuration. EVENTS_REDIS_STREAM: Workers need UPSTASH_REDIS_REST_URL');
        }
        return createRedisStream(sink, createUpstashStreamWriter(upstash));
      case 'webhook':
        return createWebhook(sink, fetchPost);
    }
  };
  return eventSinks.map(create);
}
