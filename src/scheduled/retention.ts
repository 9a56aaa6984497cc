import { minUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import { markLifetime } from '../tokens/marks.ts';
import {
  type Batch,
  deleteAuditRows,
  deleteCodeAttempts,
  deleteDeadOutbox,
  deleteEndedSessions,
  deleteExpiredSessions,
  deleteOneTimeTokens,
} from './retention-store.ts';

/** How many rows one statement deletes, and for how long one run goes on: what is left, the next run takes. */
const batchSize = 1000;
const longestWork = 10_000;
/** How long these are kept, in seconds; how long others are, the configuration says. */
const tokenRetention = 86_400;
const deadMailRetention = 30 * 86_400;

/** Each deletes what is old enough, within bounds, and tells how many rows that were. */
export interface Retention {
  deleteSessions(): Promise<number>;
  deleteOneTimeTokens(): Promise<number>;
  trimAuditLog(): Promise<number>;
  deleteDeadMail(): Promise<number>;
}

export function createRetention({ config, db, now }: Pick<Deps, 'config' | 'db' | 'now'>): Retention {
  // As long as its access tokens live, the row of an ended session is what their revocation is repeated from.
  const sessionRetention = Math.max(config.sessionRetention, markLifetime(config));

  /** @param retention seconds */
  async function inBatches(retention: number, ...deletions: ((batch: Batch) => Promise<number>)[]): Promise<number> {
    const batch = { before: now() - retention * 1000, limit: batchSize };
    const until = now() + longestWork;
    let total = 0;
    for (const deleteBatch of deletions) {
      while (now() < until) {
        const deleted = await deleteBatch(batch);
        total += deleted;
        if (deleted < batchSize) break;
      }
    }
    return total;
  }

  return {
    deleteSessions: () =>
      inBatches(
        sessionRetention,
        (batch) => deleteEndedSessions(db, batch),
        (batch) => deleteExpiredSessions(db, batch),
      ),
    deleteOneTimeTokens: () =>
      inBatches(
        tokenRetention,
        (batch) => deleteOneTimeTokens(db, batch),
        (batch) => deleteCodeAttempts(db, batch),
      ),
    trimAuditLog: () => inBatches(config.auditRetention, (batch) => deleteAuditRows(db, batch)),
    deleteDeadMail: () =>
      inBatches(deadMailRetention, (batch) => deleteDeadOutbox(db, { ...batch, firstId: minUuidv7(batch.before) })),
  };
}
