import type { Deps } from '../deps.ts';
import { markLifetime } from '../tokens/marks.ts';
import { deleteEnding, type EndingRow, forgetNext, noteEnded, readDeletions, readEndings } from './ending-store.ts';

/** How many rows one statement changes, and how long one run goes on: milliseconds. */
const batchSize = 1000;
const longestWork = 10_000;
/** How many users one statement reads. */
const maxUsers = 100;

type Needs = Pick<Deps, 'config' | 'db' | 'now'>;

/**
 * Notes the end of sessions that an epoch has ended, and takes away what is left of users who are gone. What ended stays
 * noted for as long as access tokens live, because their marks are repeated from it. In batches; what is left, the next
 * run takes.
 * @returns how many rows it changed
 */
export async function sweepEndings(deps: Needs): Promise<number> {
  const { config, db, now } = deps;
  const until = now() + longestWork;
  const repeated = now() - markLifetime(config) * 1000;
  let total = 0;
  // Of users who are gone what is left goes at once.
  for (const row of await readDeletions(db, repeated, maxUsers)) {
    if (now() >= until) return total;
    total += (await settle(deps, row, until)).changed;
  }
  for (;;) {
    const rows = await readEndings(db, repeated, maxUsers);
    for (const row of rows) {
      if (now() >= until) return total;
      const { changed, isDone } = await settle(deps, row, until);
      total += changed;
      if (isDone) await deleteEnding(db, row);
    }
    if (rows.length < maxUsers) return total;
  }
}

async function settle({ db, now }: Needs, row: EndingRow, until: number) {
  const isGone = row.reason === 'user_deleted';
  let total = 0;
  do {
    const changed = isGone ? await forgetNext(db, row.user_id, batchSize) : await noteEnded(db, row, batchSize);
    total += changed;
    if (changed === 0) return { changed: total, isDone: true };
  } while (now() < until);
  return { changed: total, isDone: false };
}
