import { timeOfUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import type { GetOperation, SetOperation } from '../kv.ts';
import { describeError } from '../ops/log.ts';
import type { AccessTokenClaims } from './access-token.ts';
import { createMarks, markLifetime, rolesKey, sessionKey, sinceKey, userKey } from './marks.ts';
import { repeatMarks, writeMarks } from './repeat-marks.ts';
import { clockTolerance } from './signing-key-state.ts';
import { isTokenCurrent } from './store.ts';

/** Times of different isolates may differ by this much: milliseconds. */
const skew = clockTolerance * 1000;
/** Repeating all marks writes something at least so often. Where it does not it was cut off. Milliseconds. */
const longestRepeat = 10_000;
/** After repeating them failed, it is left for so long: milliseconds. */
const repeatPause = 1000;
/** So many marks a request writes in one round trip of its own; more of them have more time. */
const maxAtOnce = 50;

export interface Look {
  readonly read: GetOperation;
  /**
   * @param found the marks that the read gave; undefined where the store did not answer
   * @param after has something done once the answer is out
   * @returns whether the token is good
   */
  judge(found: readonly (string | null)[] | undefined, after: (work: () => Promise<void>) => void): Promise<boolean>;
}

/**
 * Access tokens are verified without the database, so an ended session is marked in the key-value store for as long
 * as its tokens live. The marks are only trusted for what happened since the store began to collect them
 * (`revocations-since`): a store that restarted empty, or was away, is no proof that a token is good. Then the row of
 * the session decides.
 */
export interface Revocation {
  /** How to find out whether a token was revoked. */
  look(claims: AccessTokenClaims): Look;
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
  const marks = createMarks(markLifetime(config), now);
  // The memory of one process does not know what its neighbours revoked.
  const isShared = kv.kind !== 'memory' || config.environment === 'dev';
  /**
   * How often the store failed here, and how often it had when all marks were last written again: the marks are
   * believed where the two are the same. Counted and not timed, since clocks jump.
   */
  let failures = 0;
  let mended = 0;
  let repeatingUntil = Number.NEGATIVE_INFINITY;

  async function write(operations: readonly SetOperation[]): Promise<void> {
    try {
      if (operations.length > maxAtOnce) await writeMarks(kv, operations, marks.since());
      else await kv.run([marks.since(), ...operations]);
    } catch (error) {
      // The rows in Postgres say it already; they decide here until all marks are repeated.
      failures += 1;
      log.warn('revocation_not_marked', describeError(error));
    }
  }

  async function repeat(progress = () => {}): Promise<number> {
    const before = failures;
    const total = await repeatMarks({ config, db, kv, now }, progress);
    mended = before;
    return total;
  }

  const isBelieved = () => failures === mended;

  /**
   * The store answers again: what somebody ended meanwhile may lack its mark, and Postgres knows of it. One request at a
   * time has all marks written again, once its answer is out; until that is done, rows decide.
   */
  async function mend(): Promise<void> {
    const left = repeatingUntil - now();
    // More is left only after the clock was set back.
    if (isBelieved() || (left > 0 && left <= longestRepeat)) return;
    const hold = () => {
      repeatingUntil = now() + longestRepeat;
    };
    hold();
    try {
      await repeat(hold);
      repeatingUntil = Number.NEGATIVE_INFINITY;
    } catch (error) {
      repeatingUntil = now() + repeatPause;
      log.warn('revocations_not_repeated', describeError(error));
    }
  }

  /** @param wasBelieved before they were read: marks that are written again meanwhile may be missing in what was read */
  async function judge(
    claims: AccessTokenClaims,
    wasBelieved: boolean,
    ...[found, after]: Parameters<Look['judge']>
  ): Promise<boolean> {
    if (found === undefined) failures += 1;
    else if (!isBelieved()) after(mend);
    const [session, user, since, roles] = found ?? [];
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
    if (found !== undefined && typeof since !== 'string') await write([]);
    const isComplete = typeof since === 'string' && issuedAt >= Number(since) + skew;
    if (isUnmarked && hasRoles && isComplete && isShared && wasBelieved && isBelieved()) return true;
    return await isTokenCurrent(db, claims, now());
  }

  return {
    look(claims) {
      const wasBelieved = isBelieved();
      const { sid, sub } = claims;
      return {
        read: { type: 'get', keys: [sessionKey(sid), userKey(sub), sinceKey, rolesKey(sub)] },
        judge: (found, after) => judge(claims, wasBelieved, found, after),
      };
    },
    revokeSessions: (sessionIds) => write(sessionIds.map((id) => marks.session(id))),
    revokeUser(userId, sessionIds, except) {
      // The user's mark tells all but the newest, however many there are.
      const newest = sessionIds.filter((id) => timeOfUuidv7(id) >= now() - skew);
      return write([marks.user(userId, now(), except), ...newest.map((id) => marks.session(id))]);
    },
    revokeRoles: (userId, changedAt) => write([marks.roles(userId, changedAt)]),
    repeat: () => repeat(),
  };
}
