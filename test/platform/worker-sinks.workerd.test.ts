// In workerd only: it is where queues are.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { createCloudflareQueue } from '../../src/platform/cloudflare-queue.ts';
import { createWorkerSinks } from '../../src/platform/worker-sinks.ts';
import { cloudEvent } from '../support/cloud-event.ts';
import { testSecret } from '../support/secret.ts';

const sinksOf = (variables: Record<string, string>, bindings: Record<string, unknown> = { ...env }) =>
  createWorkerSinks(
    readConfig({
      AUTH_SECRET: testSecret,
      ISSUER: 'https://auth.test',
      DATABASE_URL: 'postgres://u:p@h/d',
      ...variables,
    }),
    bindings,
  );
const webhook = { name: 'a', url: 'https://receiver.example', secrets: [`whsec_${btoa(crypto.randomUUID())}`] };

describe('the sinks of a Worker', () => {
  it('are those that are configured', () => {
    const upstash = { UPSTASH_REDIS_REST_URL: 'https://x.example', UPSTASH_REDIS_REST_TOKEN: 'token' };
    const all = {
      EVENTS_QUEUE: 'true',
      EVENTS_REDIS_STREAM: 'events',
      WEBHOOKS: JSON.stringify([webhook]),
      ...upstash,
    };
    expect(sinksOf(all).map(({ name }) => name)).toEqual(['queue', 'redis-stream', 'webhook:a']);
    expect(sinksOf({})).toEqual([]);
  });

  it.each([
    ['RABBITMQ_URL', { RABBITMQ_URL: 'amqp://localhost' }, {}],
    ['EVENTS_QUEUE', { EVENTS_QUEUE: 'true' }, { EVENTS: 'text' }],
    ['EVENTS_QUEUE', { EVENTS_QUEUE: 'true' }, {}],
    ['EVENTS_REDIS_STREAM', { EVENTS_REDIS_STREAM: 'events', REDIS_URL: 'redis://localhost' }, {}],
  ])('do not come about where %s asks for what is not there', (name, variables, bindings) => {
    const create = () => sinksOf(variables, bindings);
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(`Invalid configuration. ${name}: `);
  });

  it('send to the queue of the binding', async () => {
    const [queue] = sinksOf({ EVENTS_QUEUE: 'true' });
    await expect(queue?.publish(cloudEvent())).resolves.toBeUndefined();
  });

  it('give a queue up that refuses, or does not answer', async () => {
    const refusing = createCloudflareQueue('queue', { send: () => Promise.reject(new Error('canary')) });
    await expect(refusing.publish(cloudEvent())).rejects.toMatchObject({ code: 'refused' });
    const silent = createCloudflareQueue('queue', { send: () => new Promise(() => undefined) }, 50);
    await expect(silent.publish(cloudEvent())).rejects.toMatchObject({ code: 'timeout' });
  });
});
