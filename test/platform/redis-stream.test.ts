import { describe, expect, inject, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { EventUndelivered } from '../../src/events/sink.ts';
import { createRedisStream } from '../../src/platform/redis-stream.ts';
import { cloudEvent } from '../support/cloud-event.ts';
import { hasSharedKeyValue } from '../support/test-app.ts';

/** Asks the same Redis from either runtime. */
async function ask(...commands: readonly (readonly string[])[]): Promise<unknown> {
  const headers = { Authorization: 'Bearer test-streams' };
  const response = await fetch(`${inject('upstashUrl')}/pipeline`, {
    method: 'POST',
    headers,
    body: JSON.stringify(commands),
  });
  return z
    .array(z.object({ result: z.unknown() }))
    .parse(await response.json())
    .at(-1)?.result;
}

function openStream(maxLength = 1000) {
  const stream = `test:{${crypto.randomUUID()}}`;
  const writer = runtime.openStreamWriter({ token: `test-${stream}` });
  if (writer === undefined) throw new Error('skipped');
  const sink = createRedisStream(
    { kind: 'redis-stream', name: 'redis-stream', types: undefined, stream, maxLength },
    writer,
  );
  onTestFinished(async () => {
    await sink.close();
    await ask(['DEL', stream]);
  });
  return { sink, stream };
}

describe.skipIf(!hasSharedKeyValue())('a Redis stream', () => {
  it('has an entry for each event, in order', async () => {
    const { sink, stream } = openStream();
    const events = [cloudEvent(), cloudEvent({ type: 'UserDeleted' })];
    for (const event of events) await sink.publish(event);
    const entries = z.array(z.tuple([z.string(), z.array(z.string())])).parse(await ask(['XRANGE', stream, '-', '+']));
    expect(entries.map(([, fields]) => fields)).toEqual(
      events.map((event) => [
        'id',
        event.id,
        'type',
        event.type,
        'subject',
        event.subject,
        'data',
        JSON.stringify(event),
      ]),
    );
  });

  it('is trimmed to some more than its length', async () => {
    const { sink, stream } = openStream(50);
    await ask(...Array.from({ length: 400 }, () => ['XADD', stream, '*', 'a', 'b']));
    await sink.publish(cloudEvent());
    const length = Number(await ask(['XLEN', stream]));
    expect(length).toBeGreaterThanOrEqual(50);
    expect(length).toBeLessThan(200);
  });

  it('that is none fails with the code of Redis, and quotes nothing', async () => {
    const { sink, stream } = openStream();
    await ask(['SET', stream, 'another kind']);
    const error = await sink.publish(cloudEvent()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EventUndelivered);
    expect(error).toMatchObject({ code: 'WRONGTYPE', message: 'The event was not taken: WRONGTYPE' });
  });
});
