import { timeOfUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import type { GetOperation, SetOperation } from '../kv.ts';
import { describeError } from '../ops/log.ts';
import type { AccessTokenClaims } from './access-token.ts';
import { clockTolerance } from './signing-key-state.ts';
import { isTokenCurrent, type Page, readChangedRoles, readEndedSessions, readUserEndings } from './store.ts';

/**
 * Access tokens are verified without the database, so an ended session is marked in the key-value store for as long
 * as its tokens live. The marks are only trusted for what happened since the store began to collect them
 * (`revocations-since`): a store that restarted empty, or was away, is no proof that a token is good. Then the row of
 * the session decides.
 */
const sinceKey = 'revocations-since';
const sessionKey = (sessionId: string) => `revoked:session:${sessionId}`;
const userKey = (userId: string) => `revoked:user:${userId}`;
const rolesKey = (userId: string) => `revoked:roles:${userId}`;
/** Times of different isolates may differ by this much: milliseconds. */
const skew = clockTolerance * 1000;
/** Repeating all marks takes no longer: one that did was cut off, and another may begin. Milliseconds. */
const longestRepeat = 10_000;
/** After repeating them failed, it is left for so long: milliseconds. */
const repeatPause = 1000;
/** How many are read by one statement, and written in one round trip. */
const readBatch = 5000;
const writeBatch = 500;

export interface Revocation {
  /** The read that answers whether a token was revoked. */
  read(claims: AccessTokenClaims): GetOperation;
  /**
   * @param marks what the read gave; undefined where the store did not answer
   * @returns whether the token is good
   */
  judge(claims: AccessTokenClaims, marks: readonly (string | null)[] | undefined): Promise<boolean>;
  /** Refuses the access tokens of these sessions from now on. */
  revokeSessions(sessionIds: readonly string[]): Promise<void>;
  /**
   * Refuses the access tokens of all sessions that the user has started so far.
   * @param sessionIds those that have ended
   * @param except one that may live on: its row decides
   */
  revokeUser(userId: string, sessionIds: readonly string[], except: string | null): Promise<void>;
  /**
   * Refuses the user's access tokens that were issued before their roles changed; the sessions go on.
   * @param changedAt when they did, in milliseconds, as the user's row says it
   */
  revokeRoles(userId: string, changedAt: number): Promise<void>;
  /**
   * Repeats the marks of sessions that ended a short while ago, and of roles that changed, for marks that a broken
   * store lost and those that somebody could not write.
   * @returns how many there are
   * @throws where not all are written
   */
  repeat(): Promise<number>;
}

type Needs = Pick<Deps, 'config' | 'db' | 'kv' | 'log' | 'now'>;

export function createRevocation({ config, db, kv, log, now }: Needs): Revocation {
  const ttl = config.accessTokenTtl + 2 * clockTolerance;
  // The memory of one process does not know what its neighbours revoked.
  const isShared = kv.kind !== 'memory' || config.environment === 'dev';
  /**
   * How often the store failed here, and how often it had when all marks were last written again: the marks are
   * believed where the two are the same. Counted and not timed, since clocks jump.
   */
  let failures = 0;
  let mended = 0;
  let repeatingUntil = Number.NEGATIVE_INFINITY;

  const mark = (key: string): SetOperation => ({ type: 'set', key, value: String(now()), ttl });
  /** Of when they changed and not of now: tokens that were issued since are good. */
  const rolesMark = (userId: string, changedAt: number): SetOperation => ({
    type: 'set',
    key: rolesKey(userId),
    value: String(changedAt),
    ttl,
  });
  const userMark = (userId: string, at: number, except: string | null): SetOperation => ({
    type: 'set',
    key: userKey(userId),
    value: `${at}${except === null ? '' : ` ${except}`}`,
    ttl,
  });
  const collectSince = (): SetOperation => ({ type: 'set', key: sinceKey, value: String(now()), ifAbsent: true });

  async function write(operations: readonly SetOperation[]): Promise<void> {
    try {
      await kv.run([collectSince(), ...operations]);
    } catch (error) {
      // The rows in Postgres say it already; they decide here until all marks are repeated.
      failures += 1;
      log.warn('revocation_not_marked', describeError(error));
    }
  }

  async function writeAll(marks: readonly SetOperation[]): Promise<number> {
    for (let start = 0; start < marks.length; start += writeBatch) {
      await kv.run([collectSince(), ...marks.slice(start, start + writeBatch)]);
    }
    return marks.length;
  }

  async function repeat(): Promise<number> {
    const before = failures;
    const endedSince = now() - ttl * 1000;
    const usedSince = endedSince - config.refreshGrace * 1000;
    const changed = await inPages(
      (page) => readChangedRoles(db, endedSince, page),
      (rows) => writeAll(rows.map(({ id, changedAt }) => rolesMark(id, changedAt))),
    );
    const users = await inPages(
      (page) => readUserEndings(db, endedSince, page),
      (rows) => writeAll(rows.map(({ id, at, except }) => userMark(id, at, except))),
    );
    const ended = await inPages(
      (page) => readEndedSessions(db, endedSince, usedSince, page),
      (rows) => writeAll(rows.map(({ id }) => mark(sessionKey(id)))),
    );
    const total = changed + users + ended;
    if (total === 0) await writeAll([collectSince()]);
    mended = before;
    return total;
  }

  /**
   * The store answers again: what somebody ended meanwhile may lack its mark, and Postgres knows of it. One request at a
   * time writes all marks again; until that is done, rows decide.
   */
  async function mend(): Promise<void> {
    const left = repeatingUntil - now();
    // More is left only after the clock was set back.
    if (left > 0 && left <= longestRepeat) return;
    repeatingUntil = now() + longestRepeat;
    try {
      await repeat();
      repeatingUntil = Number.NEGATIVE_INFINITY;
    } catch (error) {
      repeatingUntil = now() + repeatPause;
      log.warn('revocations_not_repeated', describeError(error));
    }
  }

  return {
    read: ({ sid, sub }) => ({ type: 'get', keys: [sessionKey(sid), userKey(sub), sinceKey, rolesKey(sub)] }),
    async judge(claims, marks) {
      if (marks === undefined) failures += 1;
      // Read before they are written again: this request goes by the row.
      const isBelieved = failures === mended;
      if (marks !== undefined && !isBelieved) await mend();
      const [session, user, since, roles] = marks ?? [];
      if (typeof session === 'string') return false;
      const [markedAt, except] = typeof user === 'string' ? user.split(' ') : [];
      // The session's id carries the time it started. Where that is too close to the mark to tell, its row decides.
      const isUnmarked = markedAt === undefined || timeOfUuidv7(claims.sid) > Number(markedAt) + skew;
      // The one that was spared may have ended since, and a mark that says so may have been written before this one.
      if (!isUnmarked && claims.sid !== except && timeOfUuidv7(claims.sid) < Number(markedAt) - skew) return false;
      // Roles are those of when the token was issued. Too close to their change to tell, they are compared.
      const issuedAt = claims.iat * 1000;
      const changedAt = typeof roles === 'string' ? Number(roles) : Number.NEGATIVE_INFINITY;
      if (issuedAt < changedAt - skew) return false;
      const hasRoles = issuedAt > changedAt + skew;
      if (marks !== undefined && typeof since !== 'string') await write([]);
      const isComplete = typeof since === 'string' && issuedAt >= Number(since) + skew;
      if (isUnmarked && hasRoles && isComplete && isShared && isBelieved) return true;
      return await isTokenCurrent(db, claims, now());
    },
    revokeSessions: (sessionIds) => write(sessionIds.map((id) => mark(sessionKey(id)))),
    revokeUser(userId, sessionIds, except) {
      // The user's mark tells all but the newest, however many there are.
      const newest = sessionIds.filter((id) => timeOfUuidv7(id) >= now() - skew);
      return write([userMark(userId, now(), except), ...newest.map((id) => mark(sessionKey(id)))]);
    },
    revokeRoles: (userId, changedAt) => write([rolesMark(userId, changedAt)]),
    repeat,
  };
}

/** Goes through a list page by page. @returns the sum of what `take` gives */
async function inPages<Row extends { readonly id: string }>(
  read: (page: Page) => Promise<readonly Row[]>,
  take: (rows: readonly Row[]) => Promise<number>,
): Promise<number> {
  let after: string | undefined;
  let total = 0;
  for (;;) {
    const rows = await read({ after, limit: readBatch });
    total += await take(rows);
    after = rows.at(-1)?.id;
    if (rows.length < readBatch) return total;
  }
}
