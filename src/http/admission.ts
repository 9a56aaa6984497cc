import type { Origin } from '../audit/audit.ts';
import type { Call, Caller } from '../call.ts';
import type { Deps } from '../deps.ts';
import { Problem, type ProblemCode } from '../errors.ts';
import type { GetOperation } from '../kv.ts';
import type { AttemptResult } from '../kv-attempts.ts';
import { type AddressKey, createAddressKeys } from '../limits/address-key.ts';
import { countShared } from '../limits/counting.ts';
import { type Attempt, attemptOperation, enforceLockout, forgiveAttempt, noAttempt } from '../limits/lockout.ts';
import { awaitOthers } from '../limits/others.ts';
import { untoldPolicies } from '../limits/policies.ts';
import { enforce, type Hit, isRefused, limitOperation, rateLimitHeaders } from '../limits/rate-limit.ts';
import { describeError } from '../ops/log.ts';
import { count } from '../ops/observation.ts';
import type { Permission } from '../roles/permissions.ts';
import type { Roles } from '../roles/roles.ts';
import { noteRefusal } from '../sessions/notes.ts';
import { verifyAccessToken } from '../tokens/access-token.ts';
import type { Revocation } from '../tokens/revocation.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';

/** How long ago a user may have proved who they are, for what is sensitive: seconds. */
const recent = 600;

/** Lets requests in: counts their limits and looks for revocation, both in one round trip. */
export interface Admission {
  /**
   * Reads the bearer token of a request (RFC 6750 section 2.1). Costs no round trip.
   * @throws {Problem} `invalid_token`
   */
  identify(authorization: string | undefined): Promise<Caller>;
  /**
   * Lets only those on who have just proved who they are: with the password, and not with a token that may be stolen.
   * @throws {Problem} `reauthentication_required`, with the challenge of RFC 9470 section 3
   */
  requireRecent(caller: Caller): void;
  /**
   * Lets only those on whose token names a role that holds the permission. Whether it still is theirs shows with the
   * revocation marks.
   * @throws {Problem} `forbidden`
   */
  requirePermission(caller: Caller, permission: Permission): Promise<void>;
  /**
   * @param counted the limits that the request counts against, and the counters of failures where it is a guess
   * @param caller where the request needs one: whose token must not be revoked
   * @param call whose signal is aborted when nobody waits any more
   * @param announce given the `RateLimit-*` headers, also those of a refusal
   * @throws {Problem} `rate_limited`, `account_locked`, `invalid_token`, `overloaded`, `client_closed_request`
   */
  admit(
    counted: Counted,
    caller: Caller | undefined,
    call: Pick<Call, 'after' | 'signal'>,
    announce: (headers: Headers) => void,
  ): Promise<Admitted>;
  /** What limits and locks count an address by. */
  readonly addressKey: AddressKey;
  /** Notes a refusal in the audit log, once the answer is out. Does not reject. */
  noteRefusal(code: ProblemCode, caller: Caller | undefined, origin: Origin): Promise<void>;
  /** Takes the guess of a request back that was let in and then not looked at. Does not reject. */
  withdraw(counted: Counted): Promise<void>;
}

interface Counted {
  readonly hits: readonly Hit[];
  readonly attempt?: Attempt;
}

/** A request that was counted. */
export interface Admitted {
  /** How the guess was counted. */
  readonly tried: AttemptResult;
  /** Why it is not let in; undefined where it is. */
  readonly refusal: unknown;
  /** Takes back what it has used up of its limits, where it did not happen. Does not reject. */
  readonly giveBack: () => Promise<void>;
}

type Headers = Readonly<Record<string, string>>;

interface Needs
  extends Pick<Deps, 'config' | 'db' | 'fallback' | 'keyring' | 'kv' | 'log' | 'newId' | 'now' | 'steady'> {
  readonly roles: Roles;
  readonly signingKeys: SigningKeys;
  readonly revocation: Revocation;
}

/** The token of an `Authorization` header (RFC 6750 section 2.1), whatever it is. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];

export function createAdmission(deps: Needs): Admission {
  const { config, kv, fallback, log, now, roles, signingKeys, revocation } = deps;
  const addressKey = createAddressKeys(deps.keyring);
  return {
    addressKey,

    async identify(authorization) {
      const token = bearerOf(authorization);
      if (token === undefined) throw new Problem('invalid_token', { reason: 'no bearer token' });
      const claims = await verifyAccessToken({ config, now, signingKeys }, token);
      return { userId: claims.sub, sessionId: claims.sid, claims };
    },

    requireRecent({ claims }) {
      const age = Math.floor(now() / 1000) - (claims.auth_time ?? 0);
      if (age <= recent) return;
      const error = `error="insufficient_user_authentication", max_age="${recent}"`;
      throw new Problem('reauthentication_required', {
        detail: 'POST the password to /auth/reauthenticate, then repeat the request with the new access token.',
        headers: { 'WWW-Authenticate': `Bearer realm="${config.issuer}", ${error}` },
      });
    },

    async requirePermission({ claims }, permission) {
      if (await roles.permit(claims.roles, permission)) return;
      throw new Problem('forbidden', {
        detail: `You need the permission ${permission}. Ask an administrator for a role that has it, then sign in again.`,
        reason: `needs ${permission}`,
      });
    },

    async admit({ hits, attempt = noAttempt }, caller, call, announce) {
      const limits = hits.map((hit) => limitOperation(config, hit));
      const guess = attemptOperation(config, attempt, now());
      if (caller === undefined && limits.length + guess.counters.length === 0) return nothingCounted;
      const look = caller === undefined ? undefined : revocation.look(caller.claims);
      const [marks, first, ...results] = await countShared({ fallback, kv }, look?.read ?? nothingRead, guess, limits);
      const told = results.filter((_, index) => hits.some((hit, n) => n === index && !untoldPolicies.has(hit.policy)));
      announce(rateLimitHeaders(told, now()));
      // Where nobody gets to guess it is no failure. Where it is one, the attempt that locks an account tells its owner.
      if (first.allowed && isRefused(results)) await forgiveAttempt({ fallback, kv }, attempt, false, false);
      hits.forEach(({ policy }, index) => {
        const result = results[index]?.success === false ? 'refused' : 'allowed';
        count('edge_auth_rate_limit_hits_total', { policy, result });
      });
      enforce(results, now());
      const counter = marks === undefined ? fallback : kv;
      const giveBack = async () => {
        const back = limits.map(({ key, limit, window }) => ({ type: 'return', key, limit, window }) as const);
        // A store that has gone since forgets by itself.
        if (back.length > 0) await counter.run(back).catch(() => undefined);
      };
      const tried = await awaitOthers(deps, attempt, first, call).catch(async (error: unknown) => {
        if (!call.signal.aborted) await giveBack();
        throw error;
      });
      if (!tried.allowed) count('edge_auth_logins_total', { result: 'account_locked' });
      enforceLockout(tried, now());
      const refusal =
        look === undefined
          ? undefined
          : await look.judge(marks, call.after).then(
              (isGood) => (isGood ? undefined : new Problem('invalid_token', { reason: 'revoked' })),
              (error: unknown) => error,
            );
      return { tried, refusal, giveBack };
    },

    noteRefusal: (code, caller, origin) =>
      noteRefusal({ ...deps, addressKey }, code, caller, origin).catch((error: unknown) =>
        log.warn('refusal_not_noted', describeError(error)),
      ),

    withdraw: ({ attempt = noAttempt }) => forgiveAttempt({ fallback, kv }, attempt, false, true),
  };
}

const nothingTried: AttemptResult = { allowed: true, isPending: false, until: 0, failures: [] };
const nothingCounted: Admitted = { tried: nothingTried, refusal: undefined, giveBack: async () => undefined };
const nothingRead: GetOperation = { type: 'get', keys: [] };
