import type { Config } from '../config.ts';
import { EventUndelivered } from '../events/sink.ts';
import { KeyValueUnavailable } from '../kv.ts';
import type { Log } from '../ops/log.ts';

/** How long RabbitMQ may take to answer at the start: milliseconds. */
const patience = 2000;

const placeOf = (address: string, port: string) => {
  const url = new URL(address);
  return { host: url.hostname, port: url.port || port };
};
const codeOf = (error: unknown) =>
  error instanceof KeyValueUnavailable || error instanceof EventUndelivered ? { code: error.code } : {};

async function reachRedis({ redisUrl }: Config, log: Log): Promise<void> {
  if (redisUrl === undefined) return;
  const { createRedisKeyValue } = await import('../platform/redis.ts');
  const redis = createRedisKeyValue({ url: redisUrl });
  try {
    await redis.ping();
  } catch (error) {
    log.warn('redis_not_reached', {
      ...placeOf(redisUrl, '6379'),
      ...codeOf(error),
      advice: 'Start Redis, or correct REDIS_URL. Until then each process counts limits by itself',
    });
  } finally {
    await redis.close();
  }
}

async function reachRabbitmq({ eventSinks }: Config, log: Log): Promise<void> {
  const sink = eventSinks.find(({ kind }) => kind === 'rabbitmq');
  if (sink?.kind !== 'rabbitmq') return;
  const { openRabbitmq } = await import('../platform/rabbitmq-connection.ts');
  try {
    const connection = await openRabbitmq(sink.url, sink.exchange, patience);
    await connection.close();
  } catch (error) {
    log.warn('rabbitmq_not_reached', {
      ...placeOf(sink.url, '5672'),
      ...codeOf(error),
      advice: 'Start RabbitMQ, or correct RABBITMQ_URL. Until then events wait in the outbox',
    });
  }
}

/** Says at the start which server does not answer. The service goes on without: what it loses stands in the line. */
export async function reportUnreachable(config: Config, log: Log): Promise<void> {
  await Promise.all([reachRedis(config, log), reachRabbitmq(config, log)]);
}
