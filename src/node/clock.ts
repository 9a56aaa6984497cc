import type { Database } from '../db/database.ts';
import { readDatabaseTime } from '../db/time.ts';
import type { Log } from '../ops/log.ts';
import type { SteadyClock } from '../platform/steady-clock.ts';

interface Needs {
  readonly clock: SteadyClock;
  readonly db: Database;
  readonly log: Log;
}

/**
 * Gives what compares the clock of this process with the database's, and logs when one begins or ends to be off. Does not
 * reject: while the database is away the clock goes on by itself.
 */
export function createClockComparison({ clock, db, log }: Needs): () => Promise<void> {
  let isOff = false;
  return async () => {
    const time = await readDatabaseTime(db).catch(() => undefined);
    if (time === undefined) return;
    const off = clock.compare(time);
    if ((off !== undefined) === isOff) return;
    isOff = off !== undefined;
    if (off === undefined) log.info('clocks_agree');
    else log.warn('clocks_differ', { machine_ms: off.machine, database_ms: off.database });
  };
}
