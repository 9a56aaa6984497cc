import cluster from 'node:cluster';
import { ConfigError, readConfig } from './config.ts';
import { migratedVariable, ready, startWorkers, WorkerFailed } from './node/cluster.ts';
import { withSecretFiles } from './node/secret-files.ts';
import { needsEmbedded, type Started, startService } from './node/service.ts';
import { countWorkers } from './node/workers.ts';
import { describeError } from './ops/log.ts';

/** In this process where one is enough, or where it is one of several itself; else in several. */
async function start(signal: AbortSignal): Promise<Started> {
  const environment = withSecretFiles(process.env);
  if (cluster.isWorker) return await startService(environment, signal, environment[migratedVariable] === 'true');
  if (needsEmbedded(environment)) return await startService(environment, signal);
  const config = readConfig(environment);
  const workers = countWorkers(config);
  return await (workers === 1 ? startService(environment, signal) : startWorkers(config, workers, signal));
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof WorkerFailed) return 'A worker did not start.';
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'The port is in use by another process. Set PORT to another one.';
  }
  return JSON.stringify({ event: 'start_failed', ...describeError(error) });
}

const ending = Promise.withResolvers<{ readonly code: 0 | 1; readonly why?: string }>();
// Also for the second signal, which npm passes on after Ctrl-C: what has begun to end, ends in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.resolve({ code: 0 }));

const breakingOff = new AbortController();
const starting = start(breakingOff.signal);
starting.then(
  ({ config, failed }) => {
    if (cluster.isWorker) process.send?.(ready);
    else console.log(`ready: ${config.tls === undefined ? 'http' : 'https'}://localhost:${config.port}`);
    void failed.then((why) => ending.resolve({ code: 1, why }));
  },
  (error) => ending.resolve({ code: 1, why: explain(error) }),
);
const { code, why } = await ending.promise;
if (why !== undefined) console.error(why);
breakingOff.abort();
// What was being started has to be known before it can be stopped.
const started = await starting.catch(() => undefined);
await started
  ?.stop()
  .catch((error) => console.error(JSON.stringify({ event: 'stop_failed', ...describeError(error) })));
process.exit(code);
