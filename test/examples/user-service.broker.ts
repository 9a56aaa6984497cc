// Needs a RabbitMQ of its own: it stops it. Runs the example as its README says.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../dev/embedded-postgres.ts';
import type { CloudEvent, Sink } from '../../src/events/sink.ts';
import { createLog } from '../../src/ops/log.ts';
import { createRabbitmq } from '../../src/platform/rabbitmq.ts';
import { cloudEvent } from '../support/cloud-event.ts';
import { type RabbitmqServer, startRabbitmqServer } from '../support/rabbitmq-server.ts';

let broker: RabbitmqServer;
let postgres: EmbeddedPostgres;
let pool: pg.Pool;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edge-auth-user-service-'));
  [broker, postgres] = await Promise.all([startRabbitmqServer(), startEmbeddedPostgres({ directory, durable: false })]);
  pool = new pg.Pool({ connectionString: postgres.url });
});
afterAll(async () => {
  await pool?.end();
  await Promise.all([broker?.remove(), postgres?.stop()]);
  await rm(directory, { recursive: true, force: true });
});

/** `npm start` of the example, until its queue is there. */
async function startService() {
  const env = { PATH: process.env['PATH'], RABBITMQ_URL: broker.url, DATABASE_URL: postgres.url };
  const cwd = join(import.meta.dirname, '../../examples/user-service');
  const child = spawn(process.execPath, ['index.js'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [lines, errors]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk) => lines.push(...String(chunk).split('\n').filter(Boolean)));
  child.stderr.on('data', (chunk) => errors.push(...String(chunk).split('\n').filter(Boolean)));
  const service = {
    errors,
    stop(signal: NodeJS.Signals) {
      child.kill(signal);
      return exited;
    },
  };
  onTestFinished(() => void service.stop('SIGKILL'));
  await expect.poll(() => lines).toContain('ready');
  return service;
}

async function insist(sink: Sink, event: CloudEvent): Promise<void> {
  await expect
    .poll(
      () =>
        sink.publish(event).then(
          () => 'taken',
          () => 'refused',
        ),
      { timeout: 30_000 },
    )
    .toBe('taken');
}

const users = async () => (await pool.query('select id, email, username from users order by id')).rows;

it('has each user once, as the events tell, whatever is repeated, unreadable or away meanwhile', async () => {
  const service = await startService();
  const sink = createRabbitmq(
    { kind: 'rabbitmq', name: 'rabbitmq', types: undefined, url: broker.url, exchange: 'auth.events', mandatory: true },
    createLog('silent', Date.now),
  );
  onTestFinished(() => sink.close());
  // All at the same time: the order is that of `sequence`.
  const created = (n: number) => cloudEvent({ sequence: String(n).padStart(19, '0') });
  const [ann, ben, cem, dee, eve] = [created(1), created(2), created(3), created(4), created(5)];
  const byId = (rows: { id: string }[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const row = ({ subject, data }: CloudEvent) => ({ id: subject, email: data['email'], username: data['username'] });

  for (const event of [ann, ann, ben, ann]) await sink.publish(event);
  await expect.poll(users).toEqual(byId([ann, ben].map(row)));

  // Unreadable, and of nobody.
  const connection = await connect(broker.url);
  const channel = await connection.createConfirmChannel();
  channel.publish('auth.events', 'UserCreated', Buffer.from('not JSON'));
  const incomplete = { id: crypto.randomUUID(), type: 'UserCreated', subject: crypto.randomUUID() };
  channel.publish('auth.events', 'UserCreated', Buffer.from(JSON.stringify(incomplete)));
  await channel.waitForConfirms();
  await sink.publish(cloudEvent({ subject: 'not a UUID' }));
  await sink.publish(cem);
  await expect.poll(users).toEqual(byId([ann, ben, cem].map(row)));
  await expect.poll(async () => (await channel.checkQueue('user-service.dead')).messageCount).toBe(3);
  await connection.close();

  // Its table goes, as with a database that is away, and comes back: the message is kept in hand.
  await pool.query('alter table users rename to gone');
  await sink.publish(eve);
  await expect.poll(() => service.errors.filter((line) => line.includes(eve.id)).length).toBeGreaterThan(2);
  await pool.query('alter table gone rename to users');
  await expect.poll(users).toEqual(byId([ann, ben, cem, eve].map(row)));

  // The service dies, and what comes meanwhile waits for it.
  await service.stop('SIGKILL');
  const deleted = cloudEvent({ type: 'UserDeleted', subject: ann.subject, data: { user_id: ann.subject } });
  await sink.publish(deleted);
  await startService();
  await expect.poll(users).toEqual(byId([ben, cem, eve].map(row)));
  // Long gone, and repeated once more; and one that was given up and comes late.
  await sink.publish(ann);
  const late = { user_id: ann.subject, email: 'late@example.com' };
  await sink.publish(cloudEvent({ type: 'EmailChanged', subject: ann.subject, data: late }));

  // The broker goes, and comes back. In order: RabbitMQ 3 may forget a quorum queue that is killed when it is new.
  await broker.stop();
  await broker.start();
  const email = 'new@example.com';
  const change = (n: number, address: string) =>
    cloudEvent({
      ...created(n),
      type: 'EmailChanged',
      subject: ben.subject,
      data: { user_id: ben.subject, email: address },
    });
  const [changed, earlier] = [change(10, email), change(9, 'earlier@example.com')];
  for (const event of [changed, earlier, dee]) await insist(sink, event);
  await expect.poll(users).toEqual(byId([{ ...row(ben), email }, row(cem), row(dee), row(eve)]));
});

it('ends in order', async () => {
  const service = await startService();
  expect(await service.stop('SIGTERM')).toBe(0);
});
