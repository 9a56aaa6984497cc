import { availableParallelism } from 'node:os';
import type { Config } from '../config.ts';

/**
 * How many processes serve: `WORKERS`, else one for each core that this container may use (libuv counts what cgroups
 * leave), where they can share their limits in Redis. Never more than the database may have connections.
 */
export function countWorkers({ environment, workers, redisUrl, database }: Config): number {
  const sharing = redisUrl === undefined || environment === 'dev' ? 1 : availableParallelism();
  return Math.min(workers ?? sharing, database.poolSize);
}

/** What one of so many processes takes of the connections and of the cores. */
export function shareOf({ database }: Config, workers: number): { poolSize: number; hashes: number } {
  return {
    poolSize: Math.max(1, Math.floor(database.poolSize / workers)),
    // One core is left to the event loops, where there are several.
    hashes: Math.max(1, Math.min(3, Math.round((availableParallelism() - 1) / workers))),
  };
}

/**
 * How each of so many listens. The system distributes the connections where it can: each process then closes its own
 * socket in its own time. Elsewhere (macOS, Windows) the first process hands them out.
 */
export function sharePort(workers: number): { readonly reusePort?: boolean; readonly exclusive?: boolean } {
  return workers > 1 && canReusePort ? { reusePort: true, exclusive: true } : {};
}

const canReusePort = ['linux', 'freebsd', 'sunos', 'aix'].includes(process.platform);
