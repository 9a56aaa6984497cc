import { beforeEach, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { createUpstashKeyValue } from '../../src/platform/upstash.ts';
import { attemptSuite, sharedAttemptSuite } from '../support/attempt-suite.ts';
import { everythingIn, keyValueSuite, sharedKeyValueSuite, uniqueKey } from '../support/key-value-suite.ts';

const url = inject('upstashUrl') ?? '';

describe.skipIf(url === '')('Upstash', () => {
  const token = `test-${crypto.randomUUID()}`;
  const headers = { Authorization: `Bearer ${token}` };
  // A busy machine takes longer than a second for a hundred requests at once.
  const create = () => createUpstashKeyValue({ url, token, timeout: 60_000 });
  const counters = async () => (await fetch(`${url}/counters`, { headers })).json();
  const send = async (...command: string[]) => {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(command) });
    return z.object({ result: z.unknown() }).parse(await response.json()).result;
  };

  beforeEach(async () => {
    await fetch(`${url}/counters`, { method: 'DELETE', headers });
  });

  keyValueSuite(create);
  attemptSuite(create);
  sharedKeyValueSuite(create, send);
  sharedAttemptSuite(create, send);

  it('sends one HTTP request for one run, from the first on', async () => {
    const kv = create();
    const operations = [
      { type: 'limit', key: uniqueKey('a'), limit: 5, window: 60 },
      { type: 'get', keys: [uniqueKey('b')] },
      { type: 'limit', key: uniqueKey('c'), limit: 5, window: 60 },
      { type: 'set', key: uniqueKey('d'), value: 'e', ttl: 60 },
      {
        type: 'attempt',
        counters: [{ key: uniqueKey('e'), failures: 5, pause: 1, longestPause: 1, memory: 60 }],
        resetKey: 'f',
        now: 0,
      },
      { type: 'forgive', key: uniqueKey('g') },
    ] as const;
    await kv.run(operations);
    expect(await counters()).toEqual({ requests: 1, commands: 6 });
    await kv.run(operations);
    expect(await counters()).toEqual({ requests: 2, commands: 12 });
    await kv.run([]);
    expect(await counters()).toEqual({ requests: 2, commands: 12 });
  });

  it('shares no request between runs that happen at once', async () => {
    const kv = create();
    const get = () => kv.run([{ type: 'get', keys: [uniqueKey('a')] }]);
    await Promise.all([get(), get(), get()]);
    expect(await counters()).toEqual({ requests: 3, commands: 3 });
  });

  it('names neither token nor key when it rejects', async () => {
    const kv = createUpstashKeyValue({ url, token: 'secret-token' });
    for (const call of [() => kv.run([{ type: 'get', keys: ['secret-key'] }]), () => kv.ping()]) {
      const error = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'KeyValueUnavailable', code: 'WRONGPASS' });
      expect(everythingIn(error)).not.toContain('secret');
    }
  });
});

it('refuses an address that is none without repeating it', () => {
  const create = () => createUpstashKeyValue({ url: 'redis://user:secret@host', token: 'secret' });
  expect(create).toThrow(new TypeError('The Upstash address is not an HTTP URL'));
});
