import { setTimeout as pause } from 'node:timers/promises';
import type { RabbitmqConfig } from '../config-events.ts';
import { type CloudEvent, EventUndelivered, type Sink } from '../events/sink.ts';
import type { Log } from '../ops/log.ts';
import { openRabbitmq, type RabbitmqConnection } from './rabbitmq-connection.ts';

/** In milliseconds: twice `connect` and `confirm` together are less than `publishTimeout`. */
export interface RabbitmqTimeouts {
  readonly connect: number;
  readonly confirm: number;
}

/**
 * RabbitMQ over AMQP 0-9-1: a durable topic exchange with the type of the event as routing key, persistent messages, and
 * an event counts as taken when the broker has confirmed it. Connects when first asked; a lost connection is opened again
 * by the first event after it, with pauses after failures, in which events are refused at once.
 */
export function createRabbitmq(
  { name, url, exchange, mandatory }: RabbitmqConfig,
  log: Log,
  timeouts: RabbitmqTimeouts = { connect: 2500, confirm: 8000 },
): Sink {
  const connections = keepConnection(() => openRabbitmq(url, exchange, timeouts.connect), name, log);
  const waiting = new Set<Promise<void>>();
  /** Types that no queue took, each told once. */
  const unroutable = new Set<string>();
  const returned = new WeakMap<RabbitmqConnection, Set<string>>();

  /** Ids of events that came back from the connection, for no queue takes them. They do before they are confirmed. */
  function returnedOf(connection: RabbitmqConnection): Set<string> {
    const known = returned.get(connection);
    if (known !== undefined) return known;
    const ids = new Set<string>();
    connection.channel.on('return', ({ properties }) => void ids.add(properties.messageId));
    returned.set(connection, ids);
    return ids;
  }

  async function publish(event: CloudEvent): Promise<void> {
    const connection = await connections.open();
    if (connection.state() === 'blocked') throw new EventUndelivered('blocked');
    const ids = returnedOf(connection);
    const confirmed = send(connection, exchange, event, timeouts.confirm);
    waiting.add(confirmed);
    try {
      await confirmed;
    } finally {
      waiting.delete(confirmed);
    }
    if (!ids.delete(event.id)) return;
    if (mandatory) throw new EventUndelivered('unroutable');
    if (!unroutable.has(event.type)) {
      unroutable.add(event.type);
      log.warn('event_unroutable', { sink: name, type: event.type, advice: 'No queue takes this type' });
    }
  }

  return {
    name,
    publish,
    async close() {
      await connections.close(() => Promise.race([Promise.allSettled(waiting), pause(timeouts.confirm)]));
    },
  };
}

function send({ channel, ...connection }: RabbitmqConnection, exchange: string, event: CloudEvent, timeout: number) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stalled = setTimeout(() => {
    // Out of memory it may take what it was sent later, else it is gone and nothing will come back.
    const isBlocked = connection.state() === 'blocked';
    reject(new EventUndelivered(isBlocked ? 'blocked' : 'timeout'));
    if (!isBlocked) connection.destroy();
  }, timeout);
  const settle = (error: Error | null) => {
    if (error === null) return resolve();
    reject(new EventUndelivered(error.message === 'message nacked' ? 'refused' : connection.reason()));
  };
  const properties = {
    // Returned where no queue takes it.
    mandatory: true,
    persistent: true,
    contentType: 'application/cloudevents+json',
    contentEncoding: 'utf-8',
    messageId: event.id,
    type: event.type,
    appId: 'edge-auth',
    // Of AMQP: seconds.
    timestamp: Math.floor(Date.parse(event.time) / 1000),
  };
  try {
    channel.publish(exchange, event.type, Buffer.from(JSON.stringify(event)), properties, settle);
  } catch {
    // It was closed since.
    reject(new EventUndelivered(connection.reason()));
  }
  return promise.finally(() => clearTimeout(stalled));
}

/** Waits between attempts to connect, in milliseconds. */
const shortestWait = 100;
const longestWait = 5000;

/** One connection, opened when asked for. Nothing runs in the background but its heartbeats. */
function keepConnection(connect: () => Promise<RabbitmqConnection>, sink: string, log: Log) {
  let connection: RabbitmqConnection | undefined;
  let connecting: Promise<RabbitmqConnection> | undefined;
  let closed = false;
  let wait = 0;
  let retryAt = 0;
  let code = '';

  async function reconnect(): Promise<RabbitmqConnection> {
    try {
      const fresh = await connect();
      if (closed) {
        await fresh.close();
        throw new EventUndelivered('closed');
      }
      if (wait > 0) log.warn('event_sink', { sink, state: 'up' });
      wait = 0;
      connection = fresh;
      return fresh;
    } catch (error) {
      code = error instanceof EventUndelivered ? error.code : 'unreachable';
      if (wait === 0 && !closed) log.warn('event_sink', { sink, state: 'down', code });
      wait = Math.min(longestWait, wait * 2 || shortestWait);
      retryAt = performance.now() + wait;
      throw error;
    }
  }

  return {
    /** The open connection. Rejects at once while a failed attempt is too recent for another. */
    async open(): Promise<RabbitmqConnection> {
      if (closed) throw new EventUndelivered('closed');
      if (connection !== undefined && connection.state() !== 'closed') return connection;
      if (connecting === undefined && performance.now() < retryAt) throw new EventUndelivered(code);
      // With its channel gone it serves for nothing more.
      connection?.destroy();
      connection = undefined;
      connecting ??= reconnect().finally(() => {
        connecting = undefined;
      });
      return connecting;
    },
    /** @param drained resolves when what was under way has ended */
    async close(drained: () => Promise<unknown>): Promise<void> {
      closed = true;
      await connecting?.catch(() => undefined);
      await drained();
      if (connection !== undefined && connection.state() !== 'closed') await connection.close();
      connection?.destroy();
    },
  };
}
