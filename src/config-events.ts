import { type Rule, rule } from './config-rule.ts';
import type { Variables } from './config-variables.ts';
import { targetProblem } from './events/webhook-target.ts';

/** Who takes events. `name` is what waits for it in the outbox; a sink without `types` takes all. */
export type EventSinkConfig = RabbitmqConfig | QueueConfig | RedisStreamConfig | WebhookConfig;

interface Taker {
  readonly name: string;
  readonly types: readonly string[] | undefined;
}

export interface RabbitmqConfig extends Taker {
  readonly kind: 'rabbitmq';
  /** Holds the password. */
  readonly url: string;
  readonly exchange: string;
  /** Whether an event that no queue takes counts as not taken. */
  readonly mandatory: boolean;
}

export interface QueueConfig extends Taker {
  readonly kind: 'queue';
}

export interface RedisStreamConfig extends Taker {
  readonly kind: 'redis-stream';
  readonly stream: string;
  /** Entries that are kept, more or less. */
  readonly maxLength: number;
}

export interface WebhookConfig extends Taker {
  readonly kind: 'webhook';
  readonly url: string;
  /** Newest first. */
  readonly secrets: readonly string[];
  /** Whether it may go over http, and to private addresses. */
  readonly allowPrivate: boolean;
}

/** What variables about events must fulfil together. */
export const eventRules: readonly Rule[] = [
  rule(['WEBHOOKS', 'WEBHOOK_ALLOW_PRIVATE'], (v) =>
    v.WEBHOOKS.flatMap(({ url }, index) => {
      const problem = targetProblem(new URL(url), v.WEBHOOK_ALLOW_PRIVATE);
      return problem === undefined ? [] : [`WEBHOOKS[${index}].url: ${problem}`];
    }),
  ),
  rule(['EVENTS_REDIS_STREAM', 'REDIS_URL', 'UPSTASH_REDIS_REST_URL'], (v) =>
    v.EVENTS_REDIS_STREAM !== undefined && (v.REDIS_URL ?? v.UPSTASH_REDIS_REST_URL) === undefined
      ? 'EVENTS_REDIS_STREAM: needs REDIS_URL or UPSTASH_REDIS_REST_URL'
      : undefined,
  ),
];

/** The variables that say who takes events. */
export const eventVariables = {
  RABBITMQ_URL: true,
  RABBITMQ_EXCHANGE: true,
  RABBITMQ_MANDATORY: true,
  EVENTS_QUEUE: true,
  EVENTS_REDIS_STREAM: true,
  EVENTS_REDIS_STREAM_MAXLEN: true,
  WEBHOOKS: true,
  WEBHOOK_ALLOW_PRIVATE: true,
} as const satisfies Partial<Record<keyof Variables, true>>;

export function toEventSinks(v: Pick<Variables, keyof typeof eventVariables>): readonly EventSinkConfig[] {
  const sinks: EventSinkConfig[] = [];
  const types = undefined;
  if (v.RABBITMQ_URL !== undefined) {
    const [url, exchange, mandatory] = [v.RABBITMQ_URL, v.RABBITMQ_EXCHANGE, v.RABBITMQ_MANDATORY];
    sinks.push({ kind: 'rabbitmq', name: 'rabbitmq', types, url, exchange, mandatory });
  }
  if (v.EVENTS_QUEUE) sinks.push({ kind: 'queue', name: 'queue', types });
  if (v.EVENTS_REDIS_STREAM !== undefined) {
    const [stream, maxLength] = [v.EVENTS_REDIS_STREAM, v.EVENTS_REDIS_STREAM_MAXLEN];
    sinks.push({ kind: 'redis-stream', name: 'redis-stream', types, stream, maxLength });
  }
  for (const webhook of v.WEBHOOKS) {
    sinks.push({
      kind: 'webhook',
      name: `webhook:${webhook.name}`,
      types: webhook.types,
      url: webhook.url,
      secrets: webhook.secrets,
      allowPrivate: v.WEBHOOK_ALLOW_PRIVATE,
    });
  }
  return sinks;
}
