import { createAdaptorServer } from '@hono/node-server';
import { PgDialect } from 'drizzle-orm/pg-core';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createKeyring } from '../../src/crypto/derive.ts';
import { createPasswordHasher } from '../../src/crypto/password-hash.ts';
import { uuidv7 } from '../../src/crypto/random.ts';
import type { Database } from '../../src/db/database.ts';
import type { Sink } from '../../src/events/sink.ts';
import { createLog } from '../../src/ops/log.ts';
import { createCloudflareQueue } from '../../src/platform/cloudflare-queue.ts';
import { createNodeHashing } from '../../src/platform/hashing-node.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createNodeSinks } from '../../src/platform/node-sinks.ts';
import { createPostgres } from '../../src/platform/postgres.ts';
import { runEvery } from '../../src/scheduled/timer.ts';

/**
 * The service, with a clock that runs faster than it should and an end that comes at a step it is told: from the commit
 * of a change to the deletion of its event. Run by `event-crashes.ts`, as a process that can be gone at once.
 */
const {
  CRASH_STEP: step = '',
  CRASH_AFTER: after = '0',
  CLOCK_SPEED: speed = '1',
  QUEUE_ADDRESS: queueAddress,
  ...variables
} = process.env;

let left = Number(after);
/** What a power cut is like. */
function crashAt(place: string): void {
  if (place !== step) return;
  left -= 1;
  if (left <= 0) process.kill(process.pid, 'SIGKILL');
}

const dialect = new PgDialect();
/** Ends with the answer of Postgres: what was asked is committed. */
function crashing(db: Database): Database {
  return new Proxy(db, {
    get(target, name, receiver) {
      if (name !== 'execute') return Reflect.get(target, name, receiver);
      return async (statement: Parameters<Database['execute']>[0]) => {
        const text = typeof statement === 'string' ? statement : dialect.sqlToQuery(statement.getSQL()).sql;
        const result = await target.execute(statement);
        if (/insert into "users"/.test(text)) crashAt('committed');
        else if (/with gone as/.test(text)) crashAt('finished');
        else if (/with free as/.test(text)) crashAt('claimed');
        return result;
      };
    },
  });
}

const crashingSink = (sink: Sink): Sink => ({
  ...sink,
  async publish(event) {
    const published = sink.publish(event);
    // Sent, and not yet confirmed.
    published.catch(() => undefined);
    setImmediate(() => crashAt('sent'));
    await published;
    crashAt('confirmed');
  },
});

const started = Date.now();
const origin = Number(variables['CLOCK_ORIGIN'] ?? started);
/** All processes of one run tell the same time. */
const now = () => Math.round(origin + (Date.now() - origin) * Number(speed));

/** The binding of a Worker, as far as there can be one here: the queue is that of a Worker in workerd. */
const remoteQueue = (url: string) =>
  createCloudflareQueue('queue', {
    async send(event) {
      const { ok } = await fetch(url, { method: 'POST', body: JSON.stringify(event) });
      if (!ok) throw new Error('not sent');
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    },
  });

const config = readConfig(variables);
const log = createLog(config.logLevel, now);
const keyring = await createKeyring(config.secrets, config.previousSecretsUntil);
const memory = createMemoryKeyValue({ now });
const app = createApp({
  config,
  log,
  keyring,
  now,
  kv: memory,
  fallback: memory,
  db: crashing(createPostgres(config.database).db),
  steady: () => performance.now(),
  newId: () => uuidv7(now()),
  mailer: undefined,
  traceExporter: undefined,
  sinks: (queueAddress === undefined ? await createNodeSinks(config, log) : [remoteQueue(queueAddress)]).map(
    crashingSink,
  ),
  assets: async () => undefined,
  isBreached: undefined,
  hasher: createPasswordHasher({
    hashing: createNodeHashing(),
    peppers: keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
    // Cheap: passwords are not what is looked at.
    parameters: { memory: 64, iterations: 1, parallelism: 1 },
  }),
});
runEvery(Math.round(60_000 / Number(speed)), (signal) => app.runScheduled({ alone: true, signal }));
const context = { waitUntil: () => undefined, passThroughOnException() {}, props: {} };
const server = createAdaptorServer({
  fetch: (request) => app.fetch(request, { clientAddress: '192.0.2.1' }, context),
});
server.listen(config.port, '127.0.0.1', () => console.log('ready: '));
