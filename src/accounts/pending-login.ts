import type { SessionDeps } from '../sessions/sessions.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { openTokenData } from './one-time-tokens.ts';
import { pendingRegistration } from './register-by-mail.ts';
import { findPendingRegistrations } from './token-store.ts';

/**
 * Whether the password is the one of the newest registration that waits for its address, whether or not an account has
 * it. Where addresses have to be verified, each failure costs this hash, known or not: so its time tells nothing.
 */
export async function isOfPendingRegistration(
  deps: SessionDeps,
  { identifier: { lookup }, password }: LoginAttempt & { readonly password: string },
  signal: AbortSignal,
): Promise<boolean> {
  if (!deps.config.requireEmailVerification || lookup.emailIndexes === undefined) return false;
  const [newest] = await findPendingRegistrations(deps.db, lookup.emailIndexes, deps.now());
  const data = newest === undefined ? undefined : await openTokenData(deps, newest);
  const hash = data === undefined ? null : pendingRegistration.parse(data).passwordHash;
  return (await deps.hasher.verify(password, hash, signal)).valid;
}
