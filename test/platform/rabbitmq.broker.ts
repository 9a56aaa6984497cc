// Needs a RabbitMQ of its own: it stops, kills and starves it.
import { connect } from 'amqplib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RabbitmqConfig } from '../../src/config-events.ts';
import { type CloudEvent, EventUndelivered, type Sink } from '../../src/events/sink.ts';
import { createLog } from '../../src/ops/log.ts';
import { createRabbitmq, type RabbitmqTimeouts } from '../../src/platform/rabbitmq.ts';
import { cloudEvent } from '../support/cloud-event.ts';
import { type RabbitmqServer, startRabbitmqServer } from '../support/rabbitmq-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const lines: string[] = [];
const log = createLog('debug', Date.now, (line) => void lines.push(line));
let broker: RabbitmqServer;

beforeAll(async () => {
  broker = await startRabbitmqServer();
});
afterAll(() => broker.remove());
beforeEach(() => {
  lines.length = 0;
});

function sinkTo(config: Partial<RabbitmqConfig> = {}, timeouts?: RabbitmqTimeouts): Sink {
  const defaults = { kind: 'rabbitmq', name: 'rabbitmq', types: undefined, mandatory: false } as const;
  const sink = createRabbitmq({ ...defaults, url: broker.url, exchange: 'auth.events', ...config }, log, timeouts);
  onTestFinished(() => sink.close());
  return sink;
}

/** How a delivery went, and how many milliseconds it took. */
async function timed(delivery: Promise<void>): Promise<{ outcome: string; took: number }> {
  const start = performance.now();
  const outcome = await delivery.then(
    () => 'taken',
    (error: unknown) => (error instanceof EventUndelivered ? error.code : String(error)),
  );
  return { outcome, took: performance.now() - start };
}

const outcomeOf = async (delivery: Promise<void>) => (await timed(delivery)).outcome;

/** Delivers until it is taken. */
async function insist(sink: Sink, event: CloudEvent): Promise<void> {
  for (const end = performance.now() + 20_000; ; ) {
    const outcome = await outcomeOf(sink.publish(event));
    if (outcome === 'taken') return;
    if (performance.now() > end) throw new Error(`Not taken: ${outcome}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function withChannel<T>(work: (channel: Awaited<ReturnType<Connection['createChannel']>>) => Promise<T>) {
  const connection = await connect(broker.url);
  connection.on('error', () => undefined);
  try {
    return await work(await connection.createChannel());
  } finally {
    await connection.close();
  }
}
type Connection = Awaited<ReturnType<typeof connect>>;

/** A durable queue of its own for each test, which outlives the broker. */
async function bindQueue(pattern: string, exchange = 'auth.events'): Promise<string> {
  const queue = `test-${crypto.randomUUID()}`;
  await withChannel(async (channel) => {
    await channel.assertExchange(exchange, 'topic', { durable: true });
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, pattern);
  });
  return queue;
}

const drain = (queue: string) =>
  withChannel(async (channel) => {
    const messages = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) return messages;
      messages.push(message);
    }
  });

const idsOf = async (queue: string) =>
  (await drain(queue)).map(({ content }): string => JSON.parse(content.toString()).id);

describe('RabbitMQ', () => {
  it('gets an event as CloudEvents JSON, persistent, by its type and with its id', async () => {
    const created = await bindQueue('UserCreated');
    const all = await bindQueue('#');
    const sink = sinkTo();
    const event = cloudEvent();
    await sink.publish(event);
    await sink.publish(cloudEvent({ type: 'UserDeleted' }));
    const [message, ...others] = await drain(created);
    expect(others).toEqual([]);
    expect(JSON.parse(message?.content.toString('utf8') ?? '')).toEqual(event);
    expect(message?.fields).toMatchObject({ exchange: 'auth.events', routingKey: 'UserCreated' });
    expect(message?.properties).toMatchObject({
      contentType: 'application/cloudevents+json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
      messageId: event.id,
      type: 'UserCreated',
      appId: 'edge-auth',
      timestamp: 1_793_534_400,
    });
    expect((await drain(all)).map(({ properties }) => properties.type)).toEqual(['UserCreated', 'UserDeleted']);
  });

  it('keeps the order of events that are handed over one after the other', async () => {
    const queue = await bindQueue('#');
    const sink = sinkTo();
    const events = Array.from({ length: 200 }, () => cloudEvent());
    for (const event of events) await sink.publish(event);
    expect(await idsOf(queue)).toEqual(events.map(({ id }) => id));
  });

  it('takes many events at once over one connection', async () => {
    const queue = await bindQueue('#');
    const sink = sinkTo();
    const events = Array.from({ length: 500 }, () => cloudEvent());
    await Promise.all(events.map((event) => sink.publish(event)));
    expect(new Set(await idsOf(queue))).toEqual(new Set(events.map(({ id }) => id)));
    await expect.poll(() => broker.evaluate('length(rabbit_networking:connections())')).toBe('1');
  });

  it('takes what no queue takes, and says so once for each type; or refuses it where that is asked for', async () => {
    const sink = sinkTo({ exchange: 'unbound' });
    for (const type of ['UserCreated', 'UserCreated', 'UserDeleted']) await sink.publish(cloudEvent({ type }));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'event_unroutable', sink: 'rabbitmq', type: 'UserCreated' },
      { event: 'event_unroutable', sink: 'rabbitmq', type: 'UserDeleted' },
    ]);
    const strict = sinkTo({ exchange: 'unbound', mandatory: true });
    const event = cloudEvent();
    expect(await outcomeOf(strict.publish(event))).toBe('unroutable');
    const queue = await bindQueue('UserCreated', 'unbound');
    await strict.publish(event);
    expect(await idsOf(queue)).toEqual([event.id]);
  });

  it('logs in with a name and a password of any characters, and is told apart where they are wrong', async () => {
    const erlang = (text: string) => `<<${Buffer.from(text).join()}>>`;
    const [user, all] = [erlang('jürgen'), '<<".*">>'];
    await broker.evaluate(`rabbit_auth_backend_internal:add_user(${user}, ${erlang('pä:ss/wörd%')}, <<"t">>)`);
    await broker.evaluate(
      `rabbit_auth_backend_internal:set_permissions(${user}, <<"/">>, ${all}, ${all}, ${all}, <<"t">>)`,
    );
    const userOf = (password: string) => `${encodeURIComponent('jürgen')}:${encodeURIComponent(password)}`;
    const url = (password: string) => `amqp://${userOf(password)}@127.0.0.1:${broker.port}`;
    expect(await outcomeOf(sinkTo({ url: url('pä:ss/wörd%') }).publish(cloudEvent()))).toBe('taken');
    expect(await outcomeOf(sinkTo({ url: url('canary') }).publish(cloudEvent()))).toBe('amqp_403');
    expect(await outcomeOf(sinkTo({ url: `${broker.url}canary` }).publish(cloudEvent()))).toMatch(/^amqp_5?30|lost$/);
    expect(lines.join()).not.toMatch(/canary|jürgen|127\.0/);
  });

  it('says so where the exchange is one of another kind', async () => {
    await withChannel((channel) => channel.assertExchange('of-another-kind', 'fanout'));
    expect(await outcomeOf(sinkTo({ exchange: 'of-another-kind' }).publish(cloudEvent()))).toBe('amqp_406');
  });

  it('gets what comes after the exchange was deleted under it', async () => {
    const sink = sinkTo({ exchange: 'fleeting' });
    await sink.publish(cloudEvent());
    await withChannel((channel) => channel.deleteExchange('fleeting'));
    expect(await outcomeOf(sink.publish(cloudEvent()))).toBe('amqp_404');
    const queue = await bindQueue('#', 'fleeting');
    const event = cloudEvent();
    await insist(sink, event);
    expect(await idsOf(queue)).toEqual([event.id]);
  });
});

describe('a RabbitMQ that goes away', () => {
  it('refuses at once while it is down, and has all that it confirmed when it is back', async () => {
    const queue = await bindQueue('#');
    const sink = sinkTo();
    const kept = Array.from({ length: 50 }, () => cloudEvent());
    for (const event of kept) await sink.publish(event);
    await broker.kill();
    expect(await outcomeOf(sink.publish(cloudEvent()))).not.toBe('taken');
    const down = await timed(Promise.all(kept.map((event) => sink.publish(event))).then(() => undefined));
    expect(down.outcome).toBe('unreachable');
    expect(down.took).toBeLessThan(1000);
    await broker.start();
    const late = cloudEvent();
    await insist(sink, late);
    expect(await idsOf(queue)).toEqual([...kept, late].map(({ id }) => id));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'event_sink', sink: 'rabbitmq', state: 'down', code: 'unreachable' },
      { event: 'event_sink', sink: 'rabbitmq', state: 'up' },
    ]);
  });

  it('settles everything under way when it is stopped in order', async () => {
    await bindQueue('#');
    const sink = sinkTo();
    await sink.publish(cloudEvent());
    const [outcomes] = await Promise.all([
      Promise.all(Array.from({ length: 300 }, () => outcomeOf(sink.publish(cloudEvent())))),
      broker.stop(),
    ]);
    expect(outcomes).toHaveLength(300);
    await broker.start();
    await insist(sink, cloudEvent());
  });

  it('refuses at once while it is out of memory, and takes more when it has some', async () => {
    await bindQueue('#');
    const sink = sinkTo({}, { connect: 2500, confirm: 1000 });
    await sink.publish(cloudEvent());
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.00001)');
    // It says that it is out of memory when it is sent something, and takes that later.
    const first = await timed(sink.publish(cloudEvent()));
    expect(['taken', 'blocked']).toContain(first.outcome);
    expect(first.took).toBeLessThan(2000);
    const next = await timed(sink.publish(cloudEvent()));
    expect(next.outcome).toBe('blocked');
    expect(next.took).toBeLessThan(200);
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.4)');
    await insist(sink, cloudEvent());
  });

  it('may be closed while it is out of memory', async () => {
    const sink = sinkTo({}, { connect: 2500, confirm: 500 });
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.00001)');
    expect(await outcomeOf(sink.publish(cloudEvent()))).toBe('blocked');
    expect((await timed(sink.close())).took).toBeLessThan(3000);
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.4)');
  });

  it('is given up in time where it falls silent, and connected to anew', async () => {
    const proxy = await startTcpProxy(broker.port);
    onTestFinished(proxy.stop);
    const url = `amqp://guest:guest@127.0.0.1:${proxy.port}`;
    const sink = sinkTo({ url }, { connect: 1000, confirm: 500 });
    await sink.publish(cloudEvent());
    proxy.freeze();
    const silent = await timed(sink.publish(cloudEvent()));
    expect(silent.outcome).toBe('timeout');
    expect(silent.took).toBeLessThan(1500);
    await insist(sink, cloudEvent());
    proxy.freeze();
    expect((await timed(sink.close())).took).toBeLessThan(3000);
  });

  it('is given up in time where it accepts a connection and never answers', async () => {
    const proxy = await startTcpProxy();
    onTestFinished(proxy.stop);
    const sink = sinkTo({ url: `amqp://127.0.0.1:${proxy.port}` }, { connect: 500, confirm: 500 });
    const silent = await timed(sink.publish(cloudEvent()));
    expect(silent.outcome).toBe('timeout');
    expect(silent.took).toBeLessThan(2000);
  });

  it('waits for what is under way when it is closed, and takes nothing after', async () => {
    const queue = await bindQueue('#');
    const sink = sinkTo();
    await sink.publish(cloudEvent());
    const underWay = Promise.all(Array.from({ length: 100 }, () => outcomeOf(sink.publish(cloudEvent()))));
    await sink.close();
    expect(new Set(await underWay)).toEqual(new Set(['taken']));
    expect(await outcomeOf(sink.publish(cloudEvent()))).toBe('closed');
    expect(await idsOf(queue)).toHaveLength(101);
  });
});
