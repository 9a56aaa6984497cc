import type { Deps } from '../deps.ts';
import type { AttemptResult } from '../kv-attempts.ts';
import { countShared } from '../limits/counting.ts';
import { attemptOperation, enforceLockout, forgiveAttempt } from '../limits/lockout.ts';
import { awaitOthers } from '../limits/others.ts';
import { enforce, isRefused, limitOperation } from '../limits/rate-limit.ts';
import type { LoginAttempt } from './login-attempt.ts';

/** The device token was good for the name, and the account's row does not know it any more. */
export class StrangeDevice extends Error {
  override readonly name = 'StrangeDevice';
}

/**
 * Counts a sign-in as that of a stranger, before its password is looked at.
 * @param signal aborted when nobody waits any more
 * @throws {Problem} `rate_limited`, `account_locked`, `overloaded`, `client_closed_request`
 */
export async function admitStranger(
  deps: Pick<Deps, 'config' | 'fallback' | 'kv' | 'now' | 'steady'>,
  { asStranger: { hits, attempt } }: LoginAttempt,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { config, fallback, kv, now } = deps;
  const guess = attemptOperation(config, attempt, now());
  const counted = hits.map((hit) => limitOperation(config, hit));
  const [, first, ...limits] = await countShared({ fallback, kv }, { type: 'get', keys: [] }, guess, counted);
  if (first.allowed && isRefused(limits)) await forgiveAttempt(deps, attempt, false, false);
  enforce(limits, now());
  const tried = await awaitOthers(deps, attempt, first, signal);
  enforceLockout(tried, now());
  return tried;
}
