import cluster from 'node:cluster';
import { ConfigError, readConfig } from './config.ts';
import { nodeRules } from './config-rules.ts';
import { preparedVariable, ready, startWorkers, WorkerFailed } from './node/cluster.ts';
import { outliveReaders } from './node/log-output.ts';
import { DependencyFailed } from './node/prepare.ts';
import { withSecretFiles } from './node/secret-files.ts';
import { type Started, startService } from './node/service.ts';
import { needsEmbedded } from './node/smell.ts';
import { countWorkers } from './node/workers.ts';
import { createLog, describeError } from './ops/log.ts';

/** In this process where one is enough, or where it is one of several itself; else in several. */
async function start(signal: AbortSignal): Promise<Started> {
  const environment = withSecretFiles(process.env, (read) => needsEmbedded(read) || readConfig(read, nodeRules));
  if (cluster.isWorker) return await startService(environment, signal, environment[preparedVariable] === 'true');
  if (needsEmbedded(environment)) return await startService(environment, signal);
  const config = readConfig(environment, nodeRules);
  const workers = countWorkers(config);
  return await (workers === 1 ? startService(environment, signal) : startWorkers(config, workers, signal));
}

outliveReaders();
/** What ends it goes to the standard error. */
const log = createLog('error', Date.now, (line) => console.error(line));

function explain(error: unknown): void {
  if (error instanceof ConfigError) console.error(error.message);
  else if (error instanceof WorkerFailed) console.error('A worker did not start.');
  else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const port = 'port' in error ? ` ${error.port}` : '';
    console.error(`Port${port} is in use by another process. Set PORT to another one.`);
  } else if (error instanceof DependencyFailed) {
    log.error('start_failed', { dependency: error.dependency, ...describeError(error.cause) });
    console.error(error.advice);
  } else log.error('start_failed', describeError(error));
}

const ending = Promise.withResolvers<{ readonly code: 0 | 1; readonly explain?: () => void }>();
// Also for the second signal, which npm passes on after Ctrl-C: what has begun to end, ends in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.resolve({ code: 0 }));

const breakingOff = new AbortController();
// Starting may take a while: a large database migrates first.
if (cluster.isPrimary) console.log('starting ...');
const starting = start(breakingOff.signal);
starting.then(
  ({ config, failed }) => {
    if (cluster.isWorker) process.send?.(ready);
    else console.log(`ready: ${config.tls === undefined ? 'http' : 'https'}://localhost:${config.port}`);
    void failed.then((why) => ending.resolve({ code: 1, explain: () => console.error(why) }));
  },
  (error) => ending.resolve({ code: 1, explain: () => explain(error) }),
);
const { code, explain: say } = await ending.promise;
say?.();
breakingOff.abort();
// What was being started has to be known before it can be stopped.
const started = await starting.catch(() => undefined);
await started?.stop().catch((error) => log.error('stop_failed', describeError(error)));
process.exit(code);
