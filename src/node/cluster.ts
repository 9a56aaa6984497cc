import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { createLog } from '../ops/log.ts';
import { writeLogLine } from './log-output.ts';
import { prepare } from './prepare.ts';
import type { Started } from './service.ts';

/** Pauses before a worker that ended is replaced: milliseconds, doubled each time it does not last. */
const firstPause = 250;
const longestPause = 30_000;
/** One that lived for so long was well: milliseconds. */
const wellAfter = 60_000;

/** What a worker tells when it serves. */
export const ready = 'ready';
/** The variable that tells a worker that what is done once is done. */
export const preparedVariable = 'EDGE_AUTH_PREPARED';

/**
 * Starts so many processes that share the port, and replaces one that ends by itself. Nothing of the service runs in this
 * one.
 * @param signal breaks off what the start waits for
 * @throws where one of them ends before all serve; it has said why itself
 */
export async function startWorkers(config: Config, workers: number, signal: AbortSignal): Promise<Started> {
  const log = createLog(config.logLevel, Date.now, writeLogLine);
  // They inherit the environment: reading .env once more would only tell once more that there is none.
  cluster.setupPrimary({ execArgv: process.execArgv.filter((each) => !each.startsWith('--env-file')) });
  await findFree(config);
  await prepare(config, log, signal);
  const ending = new AbortController();
  const running = new Set<Worker>();

  /** Runs one, and another one when it has ended. The start fails with a first one that never served. */
  async function keep(serves: () => void, fails: (error: Error) => void): Promise<void> {
    let pause = firstPause;
    let hasServed = false;
    while (!ending.signal.aborted) {
      const started = Date.now();
      const worker = cluster.fork({ [preparedVariable]: 'true' });
      running.add(worker);
      worker.on('message', (message) => {
        if (message !== ready) return;
        hasServed = true;
        serves();
      });
      const code = await ended(worker);
      running.delete(worker);
      if (!hasServed) return fails(new WorkerFailed());
      if (ending.signal.aborted) return;
      if (Date.now() - started > wellAfter) pause = firstPause;
      log.error('worker_ended', { worker: worker.id, code, restart_ms: pause });
      // Where all have ended at once, nothing but this keeps the process.
      await sleep(pause, undefined, { signal: ending.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, longestPause);
    }
  }

  async function stop(): Promise<void> {
    ending.abort();
    const gone = [...running].map(ended);
    // Not `worker.kill`, which cuts the channel first.
    for (const { process: child } of running) child.kill('SIGTERM');
    await Promise.all(gone);
  }

  try {
    const one = () => new Promise<void>((resolve, reject) => void keep(resolve, reject));
    await Promise.all(Array.from({ length: workers }, one));
  } catch (error) {
    await stop();
    throw error;
  }
  return { config, failed: new Promise(() => undefined), stop };
}

/** Asks for the port alone: processes of one user that share one would not notice each other. */
async function findFree({ host, port }: Config): Promise<void> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** A worker has not started, and has said why. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
}

/** @returns its exit code or signal */
function ended(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    worker.once('exit', (code, signal) => resolve(String(signal ?? code)));
  });
}
