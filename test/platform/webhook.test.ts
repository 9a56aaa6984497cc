import { Webhook } from 'standardwebhooks';
import { describe, expect, inject, it } from 'vitest';
import { runtime } from '#test-runtime';
import type { WebhookConfig } from '../../src/config-events.ts';
import { EventUndelivered, type Sink } from '../../src/events/sink.ts';
import { createWebhook } from '../../src/platform/webhook.ts';
import { cloudEvent } from '../support/cloud-event.ts';
import type { Received } from '../support/webhook-server.ts';

const newSecret = () => `whsec_${btoa(crypto.randomUUID())}`;

function webhookTo(answer: string, config: Partial<WebhookConfig> = {}, timeout?: number) {
  const key = crypto.randomUUID();
  const url = `${inject('webhookServer')}${answer}/${key}`;
  const defaults = { kind: 'webhook', name: 'webhook:test', types: undefined, allowPrivate: true } as const;
  const post = runtime.createPost({ allowPrivate: true });
  const sink = createWebhook({ ...defaults, url, secrets: [newSecret()], ...config }, post, timeout);
  const received = async (): Promise<Received[]> => (await fetch(`${inject('webhookServer')}${key}`)).json();
  return { sink, received };
}

const outcomeOf = (sink: Sink) =>
  sink.publish(cloudEvent()).then(
    () => 'taken',
    (error: unknown) => (error instanceof EventUndelivered ? error.code : error),
  );

const signed = ({ headers }: Received) => ({
  'webhook-id': String(headers['webhook-id']),
  'webhook-timestamp': String(headers['webhook-timestamp']),
  'webhook-signature': String(headers['webhook-signature']),
});

describe('a webhook', () => {
  it('is a CloudEvent that its receiver can verify', async () => {
    const secret = newSecret();
    const { sink, received } = webhookTo('200', { secrets: [secret] });
    const event = cloudEvent();
    await sink.publish(event);
    const [call, ...more] = await received();
    if (call === undefined) throw new Error('nothing came');
    expect(more).toEqual([]);
    expect(new Webhook(secret).verify(call.body, signed(call))).toEqual(event);
    expect(call.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': event.id,
    });
    expect(call.headers.cookie).toBeUndefined();
    expect(Math.abs(Number(call.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(10);
    expect(() => new Webhook(newSecret()).verify(call.body, signed(call))).toThrow('No matching signature');
    expect(() => new Webhook(secret).verify(`${call.body} `, signed(call))).toThrow('No matching signature');
    for (const [header, other] of [
      ['webhook-id', crypto.randomUUID()],
      ['webhook-timestamp', String(Number(call.headers['webhook-timestamp']) + 1)],
    ] as const) {
      expect(() => new Webhook(secret).verify(call.body, { ...signed(call), [header]: other })).toThrow('No matching');
    }
  });

  it('is signed with each secret, so that its receiver moves from one to the next in its own time', async () => {
    const secrets = [newSecret(), newSecret()];
    const { sink, received } = webhookTo('204', { secrets });
    await sink.publish(cloudEvent());
    const [call] = await received();
    if (call === undefined) throw new Error('nothing came');
    expect(signed(call)['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of secrets) expect(new Webhook(secret).verify(call.body, signed(call))).toBeDefined();
  });

  it('has the same id and body when it is repeated', async () => {
    const { sink, received } = webhookTo('200');
    const event = cloudEvent();
    await sink.publish(event);
    await sink.publish(event);
    const [first, second] = await received();
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  });

  it.each([
    ['200', 'taken'],
    ['202', 'taken'],
    ['304', 'redirected'],
    ['400', 'http_400'],
    ['410', 'gone'],
    ['429', 'http_429'],
    ['503', 'http_503'],
    ['garbage', 'unreachable'],
    ['hangup', 'unreachable'],
  ])('that is answered with %s is %s', async (answer, outcome) => {
    expect(await outcomeOf(webhookTo(answer).sink)).toBe(outcome);
  });

  it('does not follow a redirect', async () => {
    const { sink, received } = webhookTo('redirect');
    expect(await outcomeOf(sink)).toBe('redirected');
    expect((await received()).map(({ path }) => path.split('/')[1])).toEqual(['redirect']);
  });

  it('does not wait for a receiver that says nothing', async () => {
    expect(await outcomeOf(webhookTo('silent', {}, 300).sink)).toBe('timeout');
  });

  it('does not read an answer that has no end', async () => {
    expect(await outcomeOf(webhookTo('endless').sink)).toBe('taken');
  });

  it('is none where its address may not be called', () => {
    expect(() => webhookTo('200', { allowPrivate: false })).toThrow(TypeError);
    expect(() => webhookTo('200', { allowPrivate: false, url: 'https://[::1]/canary' })).not.toThrow('canary');
  });
});
