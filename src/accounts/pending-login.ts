import type { SessionDeps } from '../sessions/sessions.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { type Candidates, findCandidates } from './login-store.ts';
import { openTokenData } from './one-time-tokens.ts';
import { pendingRegistration } from './register-by-mail.ts';
import { findAccount } from './store.ts';
import type { FoundToken } from './token-store.ts';

/** Reads in one statement what a sign-in compares its password with. */
export async function readCandidates(
  { config, db, now }: SessionDeps,
  { identifier: { lookup } }: LoginAttempt,
): Promise<Candidates> {
  if (config.requireEmailVerification && lookup.emailIndexes !== undefined)
    return await findCandidates(db, lookup.emailIndexes, now());
  return { account: await findAccount(db, lookup), waiting: undefined };
}

/**
 * Whether the password is that of the registration that waits for its address, once it is not that of an account. Where
 * addresses have to be verified, it costs each stranger a hash of its own, whether or not anything waits: one hash for
 * both would refuse the registrant only where an account has the address, and so tell them that it has. A known device
 * knows that already.
 */
export async function isOfWaiting(
  deps: SessionDeps,
  { identifier: { lookup }, device, password }: LoginAttempt & { readonly password: string },
  waiting: FoundToken | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (!deps.config.requireEmailVerification || lookup.emailIndexes === undefined || device !== undefined) return false;
  const data = waiting === undefined ? undefined : await openTokenData(deps, waiting);
  const hash = data === undefined ? null : pendingRegistration.parse(data).passwordHash;
  return (await deps.hasher.verify(password, hash, signal)).valid;
}
