import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';
import { unstable_startWorker } from 'wrangler';
import * as z from 'zod';
import { freePort } from '../../dev/ports.ts';
import { startRabbitmqServer } from '../../test/support/rabbitmq-server.ts';

const delivered = z.object({ id: z.string(), type: z.string(), subject: z.string(), sequence: z.string() });
export type Delivered = z.output<typeof delivered>;

/** A way that events take, with a consumer at its end that tells of each delivery, repeated ones too. */
export interface Transport {
  /** Of a process that sends there. */
  readonly variables: Readonly<Record<string, string>>;
  /** What came, in the order in which it came. */
  readonly deliveries: () => Promise<readonly Delivered[]>;
  /** Gone at once, as when the power fails; undefined where it cannot be. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  remove(): Promise<void>;
}

const queue = 'everything';
const exchange = 'auth.events';

/** RabbitMQ, of our own, with a durable queue and a consumer that acknowledges what it has taken in. */
export async function startRabbitmqTransport(): Promise<Transport> {
  const broker = await startRabbitmqServer();
  const came: Delivered[] = [];
  let connection: Awaited<ReturnType<typeof amqp.connect>> | undefined;
  let ending = false;

  async function consume(): Promise<void> {
    while (!ending) {
      try {
        connection = await amqp.connect(broker.url);
        const closed = new Promise((resolve) => connection?.once('close', resolve));
        connection.on('error', () => undefined);
        const channel = await connection.createChannel();
        await channel.assertExchange(exchange, 'topic', { durable: true });
        await channel.assertQueue(queue, { durable: true });
        await channel.bindQueue(queue, exchange, '#');
        await channel.consume(queue, (message) => {
          if (message === null) return;
          came.push(delivered.parse(JSON.parse(message.content.toString())));
          channel.ack(message);
        });
        await closed;
      } catch {
        await sleep(200);
      }
    }
  }
  const consuming = consume();
  return {
    variables: { RABBITMQ_URL: broker.url },
    deliveries: async () => came,
    outage: { begin: broker.kill, end: broker.start },
    async remove() {
      ending = true;
      await connection?.close().catch(() => undefined);
      await Promise.race([consuming, sleep(2000)]);
      await broker.remove();
    },
  };
}

/** The simulator of Cloudflare Queues, in workerd: a Worker sends what is posted to it, and takes in what comes. */
export async function startQueueTransport(): Promise<Transport> {
  // It would ask the internet what a request from there looks like.
  process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false';
  const worker = await unstable_startWorker({
    config: join(import.meta.dirname, 'queue-recorder/wrangler.toml'),
    dev: {
      server: { hostname: '127.0.0.1', port: await freePort() },
      inspector: false,
      persist: false,
      logLevel: 'error',
    },
  });
  const url = (await worker.url).href;
  return {
    variables: { EVENTS_QUEUE: 'true', QUEUE_ADDRESS: url },
    deliveries: async () => z.array(delivered).parse(await (await fetch(url)).json()),
    remove: () => worker.dispose(),
  };
}
