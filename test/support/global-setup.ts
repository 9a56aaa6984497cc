import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../dev/embedded-postgres.ts';
import { startNeonEndpoint } from '../../dev/neon-endpoint.ts';
import { startBreachServer } from './breach-server.ts';
import { type DatabaseServer, startDatabaseServer } from './database-server.ts';
import { startOtlpCollector } from './otlp-collector.ts';
import { startRedis } from './redis-server.ts';
import { startResendServers } from './resend-server.ts';
import { startUpstashBridge } from './upstash-bridge.ts';
import { startWebhookServer } from './webhook-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Makes and drops databases for tests: see `database-server.ts`. */
    databaseServer: string;
    neonEndpoint: string;
    /** Null where no Redis can be had. */
    redisUrl: string | null;
    upstashUrl: string | null;
    /** See `breach-server.ts`. */
    breachServer: string;
    /** Makes servers that speak Resend's API: see `resend-server.ts`. */
    resendServers: string;
    /** Takes webhooks: see `webhook-server.ts`. */
    webhookServer: string;
    /** Takes traces: see `otlp-collector.ts`. */
    otlpCollector: string;
    /** Whether what needs many rounds gets all of them: `TEST_THOROUGH=true`, which CI asks for where it counts. */
    isThorough: boolean;
    /** How often a race is run: `TEST_RACE_ROUNDS`, 200 in CI. */
    raceRounds: number;
    /** How many odd inputs each endpoint gets: `TEST_FUZZ_RUNS`, 2,000 in CI. */
    fuzzRuns: number;
    /** How many of 1,000 imported users sign in: `TEST_IMPORT_SIGNINS`, all of them in CI. */
    importSignIns: number;
  }
}

/** Starts what all test files share, once for both runtimes; nothing has to be installed by hand. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<unknown>)[] = [];
  const teardown = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const postgres = await findPostgres(stops);
    const postgresUrl = postgres.url;
    const databases: DatabaseServer = await startDatabaseServer(postgresUrl, postgres.outlives);
    stops.push(databases.stop);
    // A database goes from test to test, and a connection to it costs more than most of them.
    const neon = await startNeonEndpoint({ postgresUrl, idleTimeout: 60_000 });
    stops.push(neon.stop);
    const redis = await startRedis();
    if (redis !== undefined) stops.push(redis.stop);
    const bridge = redis === undefined ? undefined : await startUpstashBridge({ redisUrl: redis.url });
    if (bridge !== undefined) stops.push(bridge.stop);

    const breaches = await startBreachServer();
    stops.push(breaches.stop);
    const resend = await startResendServers();
    stops.push(resend.stop);
    const webhooks = await startWebhookServer();
    stops.push(webhooks.stop);
    const collector = await startOtlpCollector();
    stops.push(collector.stop);

    project.provide('databaseServer', databases.url);
    project.provide('neonEndpoint', neon.url);
    project.provide('redisUrl', redis?.url ?? null);
    project.provide('upstashUrl', bridge?.url ?? null);
    project.provide('breachServer', breaches.url);
    project.provide('resendServers', resend.url);
    project.provide('webhookServer', webhooks.url);
    project.provide('otlpCollector', collector.url);
    project.provide('isThorough', process.env['TEST_THOROUGH'] === 'true');
    project.provide('raceRounds', Number(process.env['TEST_RACE_ROUNDS'] ?? 5));
    project.provide('fuzzRuns', Number(process.env['TEST_FUZZ_RUNS'] ?? 4));
    project.provide('importSignIns', Number(process.env['TEST_IMPORT_SIGNINS'] ?? 20));
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

/** `TEST_DATABASE_URL` (of a role that may create databases), or an embedded Postgres in a directory of its own. */
async function findPostgres(stops: (() => Promise<unknown>)[]): Promise<{ url: string; outlives: boolean }> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') return { url: given, outlives: true };
  const directory = await mkdtemp(join(tmpdir(), 'edge-auth-test-'));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ directory, durable: false });
  stops.push(postgres.stop);
  return { url: postgres.url, outlives: false };
}
