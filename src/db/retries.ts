import { type Database, sqlState } from './database.ts';
import { wrapStatements } from './wrapped-session.ts';

/**
 * How often a statement begins at most that Postgres rolls back in favour of another one: it has changed nothing.
 * - 40P01 ends a deadlock. They happen in whatever order statements lock: a row that changes meanwhile is locked
 *   version by version. To notice one takes Postgres a second.
 * - 40001 tells of a change to the same rows, where transactions are serializable by default. Of many that change one
 *   row at once, each round lets one through.
 */
const maxAttempts: ReadonlyMap<string | undefined, number> = new Map([
  ['40P01', 3],
  ['40001', 12],
]);
/** The longest pauses, before the second attempt and before any: milliseconds. Those that met once spread out. */
const [firstPause, longestPause] = [4, 64];

/** The same database; a statement that was rolled back in favour of another one begins anew. */
export const retryingDatabase = (db: Database): Database => wrapStatements(db, retry);

async function retry(send: () => Promise<unknown>): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (attempt >= (maxAttempts.get(sqlState(error)?.code) ?? 1)) throw error;
    }
    const pause = Math.random() * Math.min(firstPause * 2 ** (attempt - 1), longestPause);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
