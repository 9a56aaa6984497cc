import type { Deps } from '../deps.ts';
import { clockTolerance } from '../tokens/signing-key-state.ts';
import { deleteEnding, type EndingRow, forgetNext, noteEnded, readEndings } from './ending-store.ts';

/** How many rows one statement changes, and how long one run goes on: milliseconds. */
const batchSize = 1000;
const longestWork = 10_000;
/** How many users one run looks at. */
const mostUsers = 100;

type Needs = Pick<Deps, 'config' | 'db' | 'now'>;

/**
 * Notes the end of sessions that an epoch has ended and that were too many for one statement, and takes away what is
 * left of users who are gone. In batches; what is left, the next run takes.
 * @returns how many rows it changed
 */
export async function sweepEndings(deps: Needs): Promise<number> {
  const { config, db, now } = deps;
  const until = now() + longestWork;
  // The marks of sessions that have just ended are repeated. These have the mark of their user instead.
  const noted = now() - (config.accessTokenTtl + 2 * clockTolerance) * 1000;
  const rows = await readEndings(db, { since: 0, before: now() }, mostUsers);
  let total = 0;
  for (const row of rows.filter(({ reason, ended_at }) => reason === 'user_deleted' || ended_at <= noted)) {
    if (now() >= until) break;
    total += await settle(deps, row, until);
  }
  return total;
}

async function settle({ db, now }: Needs, row: EndingRow, until: number): Promise<number> {
  let total = 0;
  do {
    const changed =
      row.reason === 'user_deleted'
        ? await forgetNext(db, row.user_id, batchSize)
        : await noteEnded(db, row, batchSize);
    total += changed;
    if (changed === 0) {
      await deleteEnding(db, row);
      break;
    }
  } while (now() < until);
  return total;
}
