import type { Deps } from '../deps.ts';
import { MailRefused } from '../mailer.ts';
import { describeError } from '../ops/log.ts';
import { longestWait, maxAttempts, pauseAfter, probePause } from './backoff.ts';
import { type OutboxRow, postponeOutbox } from './store.ts';

/** @param now milliseconds since the epoch */
export const isTooOld = (row: OutboxRow, now: number): boolean => now - row.createdAt.getTime() > longestWait;

/**
 * Logs a failed attempt, and says when the next one is, or that there is none. Only the mail server can refuse a mail for
 * good. Everything else that is wrong (a type or a secret that only other instances know while a release goes out, a
 * message of another shape) may be right later, and is tried as long as anything is.
 * @param made how many attempts there are with this one, and whether it only probed the mail server
 */
export async function postpone(
  { db, log, now }: Pick<Deps, 'db' | 'log' | 'now'>,
  row: OutboxRow,
  made: { readonly attempts: number; readonly isProbe: boolean },
  error: unknown,
): Promise<void> {
  const { isProbe } = made;
  const attempts = made.attempts - (isProbe ? 1 : 0);
  const dead = error instanceof MailRefused || attempts >= maxAttempts || isTooOld(row, now());
  const { id, kind, type } = row;
  const reason = describeError(error);
  log[dead ? 'error' : 'warn']('outbox_failed', { kind, type, outbox_id: id, attempts, dead, ...reason });
  const lastError = String(reason['error_code'] ?? reason['cause_code'] ?? reason['error']);
  const pause = dead ? 0 : isProbe ? probePause : pauseAfter(attempts);
  await postponeOutbox(db, row, attempts, { at: now() + pause, dead }, lastError);
}
