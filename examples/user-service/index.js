// Keeps a table of users of its own, from the events of the auth service: see README.md.
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import pg from 'pg';
import { apply, createTables, types } from './users.js';

const {
  RABBITMQ_URL: url = 'amqp://guest:guest@localhost/',
  RABBITMQ_EXCHANGE: exchange = 'auth.events',
  QUEUE: queue = 'user-service',
  DATABASE_URL: connectionString,
} = process.env;

/** Milliseconds between attempts, after a failure. */
const patience = 1000;

const pool = new pg.Pool({ connectionString });
pool.on('error', () => undefined);
let connection;
let stopped = false;

/** Exchange, queue and bindings are declared by whoever comes first, and all survive a restart of the broker. */
async function declare(channel) {
  await channel.assertExchange(exchange, 'topic', { durable: true });
  await channel.assertQueue(`${queue}.dead`, { durable: true });
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      // Of many replicas one reads, and another takes over when it dies: so events stay in their order.
      'x-single-active-consumer': true,
      // What nobody can read is kept here, and holds up nothing.
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': `${queue}.dead`,
    },
  });
  for (const type of types) await channel.bindQueue(queue, exchange, type);
  // One after the other.
  await channel.prefetch(1);
}

/** @throws {Error} where it is not an event */
function read(message) {
  const event = JSON.parse(message.content.toString('utf8'));
  const texts = [event?.id, event?.type, event?.subject, event?.sequence];
  const isEvent =
    texts.every((text) => typeof text === 'string') && typeof event.data === 'object' && event.data !== null;
  if (!isEvent) throw new Error('Not an event');
  return event;
}

/**
 * Applies what came and acknowledges it. Whether it is worth another try is found out here and not by giving it back:
 * RabbitMQ counts what is given back, and puts it away after 20 times.
 * @param isOpen whether the channel is: else the message comes again by another one
 */
async function take(channel, message, isOpen) {
  let event;
  try {
    event = read(message);
  } catch {
    console.error('unreadable message');
    return channel.reject(message, false);
  }
  while (!stopped && isOpen()) {
    try {
      const isNew = await apply(pool, event);
      console.log(JSON.stringify({ id: event.id, type: event.type, new: isNew }));
      return channel.ack(message);
    } catch (error) {
      console.error(JSON.stringify({ id: event.id, error: error.code ?? error.name }));
      // Constraint or data errors will not pass; all else, as a database that is away, may.
      if (/^2[23]/.test(error.code ?? '')) return channel.reject(message, false);
      await pause(patience);
    }
  }
}

/** Reads until the connection ends. */
async function consume() {
  connection = await connect(url, { timeout: 5000, clientProperties: { connection_name: queue } });
  const ended = new Promise((resolve) => connection.once('close', resolve));
  // Without a listener an 'error' event ends the process.
  connection.on('error', (error) => console.error(JSON.stringify({ event: 'broker', error: error.code })));
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  let isOpen = true;
  channel.once('close', () => {
    isOpen = false;
    connection.close().catch(() => undefined);
  });
  connection.once('close', () => {
    isOpen = false;
  });
  await declare(channel);
  // The message that was under way when the channel closed comes again.
  await channel.consume(queue, (message) => {
    if (message !== null) take(channel, message, () => isOpen).catch(() => undefined);
  });
  console.log('ready');
  await ended;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopped = true;
    connection?.close().catch(() => undefined);
  });
}

if (connectionString === undefined) throw new Error('DATABASE_URL is required');
await createTables(pool);
while (!stopped) {
  await consume().catch((error) => console.error(JSON.stringify({ event: 'broker', error: error.code ?? error.name })));
  if (!stopped) await pause(patience);
}
await pool.end();
