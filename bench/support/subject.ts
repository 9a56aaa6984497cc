import { startNeonEndpoint } from '../../dev/neon-endpoint.ts';
import { freePort } from '../../dev/ports.ts';
import { migrate } from '../../src/platform/postgres-migrations.ts';
import { startUpstashBridge } from '../../test/support/upstash-bridge.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { startPlainWorker } from './plain-worker.ts';
import { startService } from './service.ts';
import { startStores } from './stores.ts';

export type Kind = 'Node' | 'Worker';

/** The service, on one of both runtimes. */
export interface Subject {
  readonly base: string;
  /** What it has printed; on Workers the last lines. */
  output(): string;
  /** As a cron trigger does; on Node a timer of its own does. */
  runScheduled(): Promise<void>;
  stop(): Promise<unknown>;
}

/** What the service depends on, as its runtime reaches it. */
export interface Surroundings {
  /** Of the Postgres behind, of a superuser. */
  readonly postgresUrl: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The port of the key-value store, and the variables that name it at another one. */
  readonly keyValue: { readonly port: number; at(port: number): Readonly<Record<string, string>> };
  remove(): Promise<void>;
}

const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');

/** A Postgres and a Redis; for Workers with Neon's and Upstash's HTTP before them. @param from how the Postgres is started */
export async function surround(kind: Kind, from?: () => Promise<OwnPostgres>): Promise<Surroundings> {
  const stores = await startStores(from);
  const postgresUrl = stores.variables.DATABASE_URL;
  const redisUrl = stores.variables.REDIS_URL;
  if (kind === 'Node') {
    const at = (port: number) => ({ REDIS_URL: `redis://127.0.0.1:${port}` });
    const keyValue = { port: Number(new URL(redisUrl).port), at };
    return { postgresUrl, variables: stores.variables, keyValue, remove: stores.remove };
  }
  // Node does so at its start.
  await migrate(postgresUrl);
  const neon = await startNeonEndpoint({ postgresUrl });
  const upstash = await startUpstashBridge({ redisUrl });
  const at = (port: number) => ({ UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}` });
  return {
    postgresUrl,
    variables: {
      DATABASE_URL: postgresUrl,
      NEON_HTTP_ENDPOINT: neon.url,
      UPSTASH_REDIS_REST_URL: upstash.url,
      UPSTASH_REDIS_REST_TOKEN: 'test-faults',
    },
    keyValue: { port: Number(new URL(upstash.url).port), at },
    async remove() {
      await upstash.stop();
      await neon.stop();
      await stores.remove();
    },
  };
}

/** Starts the service on a runtime; resolves when it serves. */
export async function startSubject(kind: Kind, variables: Readonly<Record<string, string>>): Promise<Subject> {
  const port = await freePort();
  const own = { ENVIRONMENT: 'dev', LOG_LEVEL: 'warn', AUTH_SECRET: secret, ...variables };
  if (kind === 'Node') {
    const service = await startService(port, { WORKERS: '1', ...own });
    const { base, output, stop } = service;
    return { base, output, stop, runScheduled: async () => undefined };
  }
  const worker = await startPlainWorker({ ISSUER: 'http://127.0.0.1:8787', ...own });
  const { base, lines, runScheduled, stop } = worker;
  return { base, output: () => lines().join('\n'), runScheduled, stop };
}

/** Runs the scheduled work once a minute, as a cron trigger does. @returns what ends that */
export function startCron({ runScheduled }: Subject): () => void {
  const timer = setInterval(() => void runScheduled().catch(() => undefined), 60_000);
  return () => clearInterval(timer);
}
