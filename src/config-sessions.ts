import type { Variables } from './config-variables.ts';
import { longestAnswer, retryAfter, shortestGrace } from './sessions/refresh-times.ts';

/** A window that closes before an obedient client can try again signs people out for lost answers. */
export function graceContradictions({ REFRESH_GRACE, SESSION_IDLE_TTL }: Variables): string[] {
  if (REFRESH_GRACE < shortestGrace) {
    const why = `an answer may take ${longestAnswer} s, and so may the next one after Retry-After (${retryAfter} s)`;
    return [`REFRESH_GRACE: must be at least ${shortestGrace}, since ${why}`];
  }
  return REFRESH_GRACE < SESSION_IDLE_TTL ? [] : ['REFRESH_GRACE: must be less than SESSION_IDLE_TTL'];
}
