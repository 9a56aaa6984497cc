import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../app.ts';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { nodeRules } from '../config-rules.ts';
import { createKeyring } from '../crypto/derive.ts';
import { createPasswordHasher } from '../crypto/password-hash.ts';
import { uuidv7 } from '../crypto/random.ts';
import { createLog } from '../ops/log.ts';
import { createDirectoryAssets } from '../platform/assets-directory.ts';
import { createBreachedPasswords } from '../platform/breached-passwords.ts';
import { createNodeHashing } from '../platform/hashing-node.ts';
import { createMemoryKeyValue } from '../platform/memory.ts';
import { createNodeMailer } from '../platform/node-mailer.ts';
import { createNodeSinks } from '../platform/node-sinks.ts';
import { createOtlpExporter } from '../platform/otlp.ts';
import { createPostgres } from '../platform/postgres.ts';
import { createSteadyClock } from '../platform/steady-clock.ts';
import { runEvery } from '../scheduled/timer.ts';
import { createClockComparison } from './clock.ts';
import { createKeyValue } from './key-value.ts';
import { writeLogLine } from './log-output.ts';
import { prepare } from './prepare.ts';
import { listen } from './server.ts';
import { needsEmbedded } from './smell.ts';
import { countWorkers, shareOf, sharePort } from './workers.ts';

const clock = createSteadyClock();
const { now } = clock;
/** How often the scheduled work is looked at: milliseconds. */
const schedule = 60_000;
/** How soon what waits goes on when who takes it is back: milliseconds. */
const drainPause = 5000;
/** How long what is still in the outbox is delivered at the end; other replicas go on with it. Milliseconds. */
const flushTime = 5000;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Started {
  readonly config: Config;
  /** Resolves when something it depends on ended by itself. */
  readonly failed: Promise<string>;
  /** Answers what is under way, delivers what is enqueued, and closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the service in this process.
 * @param signal breaks off what the start waits for
 * @param isPrepared whether another process has done what is done once
 * @throws {ConfigError}
 */
export async function startService(
  environment: Environment,
  signal: AbortSignal,
  isPrepared = false,
): Promise<Started> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    let variables = environment;
    let failed: Promise<string> = new Promise(() => undefined);
    if (needsEmbedded(environment)) {
      const { startEmbedded } = await import('../../dev/embedded.ts');
      const embedded = await startEmbedded(environment).catch((error) => {
        // Its messages say what to do: another process has the directory, or Postgres cannot run here.
        throw error instanceof Error && !('code' in error) ? new ConfigError(error.message) : error;
      });
      stops.push(embedded.stop);
      variables = embedded.variables;
      failed = embedded.failed;
    }
    const read = readConfig(variables, nodeRules);
    // What was named by an older name is told once, too.
    const config = { ...read, renamed: [], meaningless: [] };
    const log = createLog(config.logLevel, now, writeLogLine);
    if (!isPrepared) await prepare(read, log, signal);

    const workers = countWorkers(config);
    const { poolSize, hashes } = shareOf(config, workers);
    const postgres = createPostgres({ url: config.database.url, poolSize });
    stops.push(postgres.close);
    const compareClocks = createClockComparison({ clock, db: postgres.db, log });
    await compareClocks();
    stops.push(runEvery(schedule, compareClocks));
    const kv = await createKeyValue(config, log, now);
    stops.push(() => kv.close());
    const mailer = await createNodeMailer(config);
    if (mailer !== undefined) stops.push(mailer.close);
    const sinks = await createNodeSinks(config, log);
    stops.push(async () => void (await Promise.allSettled(sinks.map((sink) => sink.close()))));
    const { otlp } = config.observability;
    const keyring = await createKeyring(config.secrets, config.previousSecretsUntil);
    const app = createApp({
      config,
      log,
      keyring,
      now,
      kv,
      db: postgres.db,
      steady: () => performance.now(),
      newId: () => uuidv7(now()),
      fallback: createMemoryKeyValue({ now }),
      mailer,
      sinks,
      traceExporter: otlp && createOtlpExporter(otlp),
      assets: createDirectoryAssets(resolve(import.meta.dirname, '../../dist/docs')),
      isBreached: createBreachedPasswords(config.breachedPasswordUrl),
      hasher: createPasswordHasher({
        hashing: createNodeHashing(hashes),
        legacyPeppers: config.legacyPeppers,
        peppers: keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
        keyring,
        parameters: { ...config.argon2, parallelism: 1 },
      }),
    });
    // What fails is logged, and tried again by others or at the next start.
    stops.push(app.flush);
    stops.push(runEvery(config.observability.interval * 1000, app.flush));
    stops.push(() =>
      Promise.race([app.deliverDue().catch(() => undefined), sleep(flushTime, undefined, { ref: false })]),
    );
    stops.push(runEvery(drainPause, app.drain));
    // Of many replicas, one.
    stops.push(runEvery(schedule, (signal) => app.runScheduled({ alone: true, signal })));
    stops.push(await listen(app, config, log, sharePort(workers)));
    return { config, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
