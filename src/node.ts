import { createAdaptorServer } from '@hono/node-server';
import { type App, createApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { createKeyring } from './crypto/derive.ts';
import { createPasswordHasher } from './crypto/password-hash.ts';
import { uuidv7 } from './crypto/random.ts';
import type { Bindings } from './http/context.ts';
import { hasDotSegments } from './http/target.ts';
import type { KeyValue } from './kv.ts';
import { forwardedAddress, parseNetworks } from './limits/client-address.ts';
import { createLog, describeError, type Log } from './ops/log.ts';
import { createArgon2Native } from './platform/argon2-native.ts';
import { createBreachedPasswords } from './platform/breached-passwords.ts';
import { withDeadline } from './platform/kv-deadline.ts';
import { createMemoryKeyValue } from './platform/memory.ts';
import { createNodeMailer } from './platform/node-mailer.ts';
import { createOtlpExporter } from './platform/otlp.ts';
import { createPostgres } from './platform/postgres.ts';
import { migrate } from './platform/postgres-migrations.ts';
import { runEvery } from './scheduled/timer.ts';

const now = () => Date.now();
/** How often the scheduled work is looked at: milliseconds. */
const schedule = 60_000;
/** How long requests under way may take to end after SIGTERM: milliseconds. */
const drain = 10_000;
/**
 * How long a client may take to send a request, in milliseconds; looked at every 5 s. Node's own 60 s and 300 s are
 * for uploads, and let a few slow clients hold many connections.
 */
const patience = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 };

interface Started {
  readonly config: Config;
  /** Resolves when something it depends on ended by itself. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

async function start(environment: Readonly<Record<string, string | undefined>>): Promise<Started> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    let variables = environment;
    let failed: Promise<string> = new Promise(() => undefined);
    // Where accounts have to last, a forgotten DATABASE_URL is a mistake to tell and not to make up for.
    const isDev = ['', 'dev'].includes(environment['ENVIRONMENT']?.trim() ?? '');
    const isNowhere = (environment['DATABASE_URL'] ?? '') === '' && (environment['DB_HOST'] ?? '') === '';
    if (isDev && isNowhere) {
      const { startEmbedded } = await import('../dev/embedded.ts');
      const embedded = await startEmbedded(environment);
      stops.push(embedded.stop);
      variables = embedded.variables;
      failed = embedded.failed;
    }
    const config = readConfig(variables);
    const log = createLog(config.logLevel, now);
    if (config.database.migrateOnStart) await migrate(config.database.url);

    const postgres = createPostgres(config.database);
    stops.push(postgres.close);
    const kv = await createKeyValue(config, log);
    stops.push(() => kv.close());
    const mailer = await createNodeMailer(config, log);
    if (mailer !== undefined) stops.push(mailer.close);
    const { interval, otlp } = config.observability;
    const keyring = await createKeyring(config.secrets);
    const app = createApp({
      config,
      log,
      keyring,
      now,
      kv,
      db: postgres.db,
      newId: () => uuidv7(now()),
      fallback: createMemoryKeyValue({ now }),
      mailer,
      traceExporter: otlp && createOtlpExporter(otlp),
      isBreached: createBreachedPasswords(config.breachedPasswordUrl),
      hasher: createPasswordHasher({
        argon2: createArgon2Native(),
        peppers: keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
        parameters: { ...config.argon2, parallelism: 1 },
      }),
    });
    stops.push(app.flush);
    stops.push(runEvery(interval * 1000, app.flush));
    // Of many replicas, one.
    stops.push(runEvery(schedule, (signal) => app.runScheduled({ alone: true, signal })));
    stops.push(await listen(app, config));
    return { config, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createKeyValue({ environment, redisUrl }: Config, log: Log): Promise<KeyValue> {
  if (redisUrl !== undefined) {
    const onStateChange = (state: 'up' | 'down') => log.warn('key_value_store', { state });
    // The SDK takes a while to load, so only where it is used.
    const { createRedisKeyValue } = await import('./platform/redis.ts');
    const redis = createRedisKeyValue({ url: redisUrl });
    // Connects before the first request has to wait for it; the service starts without Redis too.
    await redis.ping().catch(() => undefined);
    return withDeadline(redis, { now, onStateChange });
  }
  if (environment !== 'dev')
    log.warn('limits_in_memory', { advice: 'Set REDIS_URL: replicas do not share their memory' });
  return createMemoryKeyValue({ now });
}

/** Serves until the returned function is called: then requests under way are answered first. */
async function listen(app: App, config: Config): Promise<() => Promise<void>> {
  const trusted = parseNetworks(config.trustedProxies);
  const background = new Set<Promise<unknown>>();
  const context = {
    waitUntil(promise: Promise<unknown>) {
      const settled = promise.catch(() => undefined).finally(() => background.delete(settled));
      background.add(settled);
    },
    passThroughOnException() {},
    props: {},
  };
  let draining = false;
  const server = createAdaptorServer({
    serverOptions: patience,
    fetch: async (request, { incoming, outgoing }) => {
      if (hasDotSegments(incoming.url ?? '')) return new Response(null, { status: 400 });
      const peer = incoming.socket.remoteAddress;
      const clientAddress = forwardedAddress(peer, request.headers.get('X-Forwarded-For'), trusted);
      const response = await app.fetch(request, { clientAddress } satisfies Bindings, context);
      // A kept connection would hold up the end, and its next request would fail.
      if (draining) outgoing.setHeader('Connection', 'close');
      return response;
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  return async () => {
    draining = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    if ('closeIdleConnections' in server) server.closeIdleConnections();
    const late = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), drain);
    await closed;
    clearTimeout(late);
    await Promise.all(background);
  };
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'The port is in use by another process. Set PORT to another one.';
  }
  return JSON.stringify({ event: 'start_failed', ...describeError(error) });
}

const ending = Promise.withResolvers<{ readonly code: 0 | 1; readonly why?: string }>();
// Also for the second signal, which npm passes on after Ctrl-C: what has begun to end, ends in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.resolve({ code: 0 }));

const starting = start(process.env);
starting.then(
  ({ config, failed }) => {
    console.log(`ready: http://localhost:${config.port}`);
    void failed.then((why) => ending.resolve({ code: 1, why }));
  },
  (error) => ending.resolve({ code: 1, why: explain(error) }),
);
const { code, why } = await ending.promise;
if (why !== undefined) console.error(why);
// What was being started has to be known before it can be stopped.
const started = await starting.catch(() => undefined);
await started
  ?.stop()
  .catch((error) => console.error(JSON.stringify({ event: 'stop_failed', ...describeError(error) })));
process.exit(code);
