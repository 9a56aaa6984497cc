// On Node only: it is what a Node process makes.
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { createLog } from '../../src/ops/log.ts';
import { createNodeSinks } from '../../src/platform/node-sinks.ts';
import { cloudEvent } from '../support/cloud-event.ts';
import { testSecret } from '../support/secret.ts';

const base = { AUTH_SECRET: testSecret, ISSUER: 'https://auth.test', DATABASE_URL: 'postgres://u:p@h/d' };
const sinksOf = (variables: Record<string, string>) =>
  createNodeSinks(readConfig({ ...base, ...variables }), createLog('silent', Date.now));
const upstash = { UPSTASH_REDIS_REST_URL: 'https://x.example', UPSTASH_REDIS_REST_TOKEN: 'token' };

describe('the sinks of a Node process', () => {
  it('are those that are configured, and start without the servers they need', async () => {
    const webhook = { name: 'a', url: 'https://receiver.example', secrets: [`whsec_${btoa(crypto.randomUUID())}`] };
    const sinks = await sinksOf({
      // Ports that nobody listens at.
      RABBITMQ_URL: 'amqp://127.0.0.1:1',
      REDIS_URL: 'redis://127.0.0.1:1',
      EVENTS_REDIS_STREAM: 'events',
      WEBHOOKS: JSON.stringify([webhook]),
    });
    expect(sinks.map(({ name }) => name)).toEqual(['rabbitmq', 'redis-stream', 'webhook:a']);
    for (const sink of sinks.slice(0, 2)) {
      await expect(sink.publish(cloudEvent())).rejects.toMatchObject({ name: 'EventUndelivered', code: 'unreachable' });
    }
    await Promise.all(sinks.map((sink) => sink.close()));
  });

  it.each([
    ['EVENTS_QUEUE', { EVENTS_QUEUE: 'true' }],
    ['EVENTS_REDIS_STREAM', { EVENTS_REDIS_STREAM: 'events', ...upstash }],
  ])('do not come about where %s asks for what Node does not have', async (name, variables) => {
    const sinks = sinksOf(variables);
    await expect(sinks).rejects.toThrow(ConfigError);
    await expect(sinks).rejects.toThrow(`Invalid configuration. ${name}: `);
  });
});
