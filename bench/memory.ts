/**
 * `npm run check:memory -- [worker|node]`: 100,000 requests over every hot endpoint, with mails and scheduled runs, against
 * a real Postgres and Redis. After the first 30,000 neither the resident size nor the heap that the collector leaves may
 * grow: on Workers in plain workerd, and on Node.
 */
import { createServer } from 'node:http';
import { startNeonEndpoint } from '../dev/neon-endpoint.ts';
import { freePort } from '../dev/ports.ts';
import { migrate } from '../src/platform/postgres-migrations.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { startUpstashBridge } from '../test/support/upstash-bridge.ts';
import { startHotLoad } from './support/hot-load.ts';
import { type MemoryUse, measureMemory } from './support/memory-use.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { startPlainWorker } from './support/plain-worker.ts';
import { startService, unlimited } from './support/service.ts';

const total = 100_000;
const step = 10_000;
/** How long one of the two may take; a slow machine judges by what it has sent until then, `least` at least. */
const longest = 220_000;
const least = 60_000;
/** How many it takes until caches are full and code is compiled. */
const warm = 30_000;
/** How much larger than at the largest before: what pages and pools do, in MiB. A request that is kept has 16 KiB. */
const room: MemoryUse = { resident: 48, heap: 6 };

interface Subject {
  readonly base: string;
  readonly inspector: string;
  readonly pid: number;
  /** Undefined where it runs by a timer of its own. */
  readonly runScheduled?: () => Promise<void>;
}

const ends: (() => Promise<unknown>)[] = [];
const at = <End extends { stop(): Promise<unknown> }>(started: End): End => {
  ends.push(() => started.stop());
  return started;
};

const secret = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');

/** Takes every mail. */
async function startMails(): Promise<{ url: string; taken: () => number; stop(): Promise<void> }> {
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      taken += 1;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"id":"1"}');
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, taken: () => taken, stop };
}

async function startSubject(kind: 'worker' | 'node', variables: Readonly<Record<string, string>>): Promise<Subject> {
  const { DATABASE_URL: postgresUrl = '', REDIS_URL: redisUrl = '', ...others } = variables;
  if (kind === 'node') {
    const service = at(await startService(await freePort(), { ...variables, WORKERS: '1' }, ['--inspect=127.0.0.1:0']));
    const inspector = /Debugger listening on ws:\/\/([\d.:]+)/.exec(service.output())?.[1];
    return { base: service.base, inspector: `http://${inspector}`, pid: service.pid ?? 0 };
  }
  const neon = at(await startNeonEndpoint({ postgresUrl }));
  const upstash = at(await startUpstashBridge({ redisUrl }));
  return at(
    await startPlainWorker({
      ...others,
      DATABASE_URL: postgresUrl,
      NEON_HTTP_ENDPOINT: neon.url,
      UPSTASH_REDIS_REST_URL: upstash.url,
      UPSTASH_REDIS_REST_TOKEN: 'test-memory',
    }),
  );
}

/** @returns what is wrong */
async function check(kind: 'worker' | 'node', variables: Readonly<Record<string, string>>): Promise<string[]> {
  const subject = await startSubject(kind, variables);
  const load = await startHotLoad(subject.base, 12);
  const begun = Date.now();
  const samples: MemoryUse[] = [];
  console.log(`${kind}: requests, resident size, heap after collection`);
  let sent = 0;
  while (sent < total && (sent < least || Date.now() - begun < longest)) {
    for (let part = 0; part < 2; part += 1) {
      await load.send(step / 2);
      await subject.runScheduled?.();
    }
    sent += step;
    const use = await measureMemory(subject);
    samples.push(use);
    console.log(`  ${sent}  ${use.resident.toFixed(0)} MiB  ${use.heap.toFixed(1)} MiB`);
  }
  load.close();
  const seconds = ((Date.now() - begun) / 1000).toFixed(0);
  console.log(`  in ${seconds} s: ${[...load.sent].map(([what, count]) => `${count} ${what}`).join(', ')}`);
  const first = samples.slice(0, warm / step);
  const last = samples.slice(warm / step);
  return (['resident', 'heap'] as const).flatMap((what) => {
    const before = Math.max(...first.map((each) => each[what]));
    // The least of the last three: what grows for good is in each of them.
    const after = Math.min(...last.slice(-3).map((each) => each[what]));
    const grown = after - before;
    console.log(`  ${what} grew by ${grown.toFixed(1)} of at most ${room[what]} MiB after the first ${warm}`);
    return grown > room[what] ? [`${kind}: ${what} grows`] : [];
  });
}

const [only] = process.argv.slice(2);
const wrong: string[] = [];
try {
  const postgres = await startOwnPostgres();
  ends.push(postgres.remove);
  const redis = await startRedisServer();
  if (redis === undefined) throw new Error('There is no redis-server on the PATH');
  at(redis);
  const mails = at(await startMails());
  await migrate(postgres.url);
  const variables = {
    ...unlimited,
    ENVIRONMENT: 'dev',
    ISSUER: 'http://127.0.0.1:8787',
    AUTH_SECRET: secret(),
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    ARGON2_ITERATIONS: '1',
    LOG_LEVEL: 'warn',
    REQUIRE_EMAIL_VERIFICATION: 'false',
    RESEND_API_KEY: 'none',
    RESEND_BASE_URL: mails.url,
    MAIL_FROM: 'auth@example.com',
  };
  for (const kind of ['worker', 'node'] as const) {
    if (only === undefined || only === kind) wrong.push(...(await check(kind, variables)));
  }
  console.log(`mails taken: ${mails.taken()}`);
  if (mails.taken() < 100) wrong.push('mails were not sent');
} finally {
  for (const end of ends.toReversed()) await end();
}
for (const line of wrong) console.error(`error: ${line}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
