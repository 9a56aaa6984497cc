import type { Origin } from './audit/audit.ts';
import type { AccessTokenClaims } from './tokens/access-token.ts';

/** One call of the API, as rules see it: from where, in which language, and how long somebody waits for the answer. */
export interface Call {
  readonly origin: Origin;
  /** What limits and locks count its address by. Computed where somebody asks. */
  readonly addressKey: () => Promise<string>;
  /** The `Accept-Language` header, cut to a sane length. */
  readonly languages: string | undefined;
  /** When its first byte was seen here, by the steady clock: milliseconds. */
  readonly startedAt: number;
  /** Aborted when the client has gone: once it is, no password is hashed. */
  readonly signal: AbortSignal;
  /** What is to be done once the answer is on its way, which it must not hold up and cannot change. */
  readonly after: (work: () => Promise<unknown>) => void;
}

/** Who asks: the claims of a verified access token that was not revoked. */
export interface Caller {
  readonly userId: string;
  readonly sessionId: string;
  readonly claims: AccessTokenClaims;
}
