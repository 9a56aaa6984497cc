import type { Config } from '../config.ts';
import { Problem, type ProblemDetails } from '../errors.ts';
import type { LimitOperation, LimitResult } from '../kv.ts';
import type { PolicyName } from './policies.ts';

/** One request counted against one policy. The key says whose: an address, an account, a session. */
export interface Hit<Name extends PolicyName = PolicyName> {
  readonly policy: Name;
  readonly key: string;
}

export function limitOperation(config: Config, { policy, key }: Hit): LimitOperation {
  return { type: 'limit', key: `limit:${policy}:${key}`, ...config.limits[policy] };
}

/**
 * `RateLimit-*` headers (draft-ietf-httpapi-ratelimit-headers-03; times in seconds from now) of the limit to tell the
 * client of: the refused one, else the one with the least left.
 */
export function rateLimitHeaders(results: readonly LimitResult[], now: number): Record<string, string> {
  const byNeed = (a: LimitResult, b: LimitResult) => Number(a.success) - Number(b.success) || a.remaining - b.remaining;
  const [first] = results.toSorted(byNeed);
  if (first === undefined) return {};
  return {
    'RateLimit-Limit': String(first.limit),
    'RateLimit-Remaining': String(Math.max(0, first.remaining)),
    'RateLimit-Reset': String(secondsUntil(first.reset, now)),
  };
}

export const isRefused = (results: readonly LimitResult[]): boolean => results.some(({ success }) => !success);

/** @throws {Problem} `rate_limited` where one of the results is a refusal */
export function enforce(results: readonly LimitResult[], now: number): void {
  const refused = results.filter(({ success }) => !success).map(({ reset }) => reset);
  if (refused.length === 0) return;
  throw new Problem('rate_limited', retryAfter(Math.max(...refused), now));
}

/** What a refusal says that is over at a time: both in milliseconds. */
export function retryAfter(time: number, now: number): ProblemDetails {
  const seconds = secondsUntil(time, now);
  return { detail: `Try again in ${seconds} seconds.`, headers: { 'Retry-After': String(seconds) } };
}

const secondsUntil = (reset: number, now: number) => Math.max(1, Math.ceil((reset - now) / 1000));
