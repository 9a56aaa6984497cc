import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { eventRows } from '../events/event-rows.ts';
import { deliverAfter } from '../outbox/relay.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { newUser } from './new-user.ts';
import { findProof, linkExpired, type MailProof, openTokenData } from './one-time-tokens.ts';
import { redeemToken } from './redemption-store.ts';
import { pendingRegistration } from './register-by-mail.ts';
import { redeemRegistration } from './registration-store.ts';
import { readUser } from './store.ts';
import { takenBy } from './taken.ts';
import type { FoundToken } from './token-store.ts';
import { verifiedUserCreated } from './user-events.ts';

/** Whether the address was verified by this very proof, or had been before. */
export type Verified = 'now' | 'before';

/**
 * Verifies an address for whoever holds it. Where a registration waited for this, its account comes into being, with
 * what was given with this very token: what others gave for the same address is dropped. An account that exists is
 * verified and otherwise left as it is.
 * @throws {Problem} `link_expired`; `identifier_taken` where the username was taken meanwhile
 */
export async function verifyEmail(deps: SessionDeps, proof: MailProof, call: Call): Promise<Verified> {
  const token = await findProof(deps, 'verify_email', proof);
  if (token.purpose === 'email_verified') return await verifiedBefore(deps, token);
  const isVerified =
    token.user_id === null
      ? await confirmRegistration(deps, token, call)
      : await verifyAccount(deps, { ...token, user_id: token.user_id }, call);
  if (isVerified) return 'now';
  // Pressed twice at once: the other one did it.
  const left = await findProof(deps, 'verify_email', proof);
  if (left.purpose !== 'email_verified') throw linkExpired('used meanwhile');
  return await verifiedBefore(deps, left);
}

/** @throws {Problem} `link_expired` where the account has another address since */
async function verifiedBefore(deps: SessionDeps, token: FoundToken): Promise<'before'> {
  const user = token.user_id === null ? undefined : await readUser(deps.db, token.user_id);
  if (user?.emailVerifiedAt == null || user.emailIndex !== token.email_index)
    throw linkExpired('verified an address before');
  return 'before';
}

async function confirmRegistration(deps: SessionDeps, token: FoundToken, call: Call): Promise<boolean> {
  const { db, now } = deps;
  const data = await openTokenData(deps, token);
  if (data === undefined) throw linkExpired('no registration');
  const registration = { ...pendingRegistration.parse(data), emailVerified: true };
  const user = await newUser(deps, registration);
  const indexes = await blindIndexes(deps.keyring, 'email', registration.email.key);
  const entry = { type: 'user_registered', result: 'success', sessionId: null, origin: call.origin } as const;
  const audit = auditRow(deps, { ...entry, userId: user.id });
  const events = await verifiedUserCreated(deps, user, registration.email.address);
  const link = { id: token.id, staysKnown: true };
  const isMade = await redeemRegistration(db, link, indexes, user, now(), audit, events).catch(refuseLate);
  if (isMade) deliverAfter(deps, call, events);
  return isMade;
}

async function verifyAccount(
  deps: SessionDeps,
  token: FoundToken & { readonly user_id: string },
  call: Call,
): Promise<boolean> {
  const { id, user_id: userId } = token;
  // A registration for an address that an account has: whoever typed it must change nothing of that account.
  if (token.data_sealed !== null) throw linkExpired('a registration over an account');
  const whereVerified = await eventRows(deps, 'UserVerified', userId, {});
  const entry = { type: 'email_verified', result: 'success', userId, sessionId: null, origin: call.origin } as const;
  const redeemed = await redeemToken(deps.db, { id, userId }, deps.now(), {
    set: {},
    verifies: true,
    staysKnown: true,
    drops: [],
    whereVerified,
    audit: auditRow(deps, entry),
  });
  if (redeemed !== undefined) deliverAfter(deps, call, whereVerified);
  return redeemed !== undefined;
}

/** Where the address has gone to another account meanwhile, the token was for one that can no longer be. */
export function refuseLate(error: unknown): never {
  const problem = takenBy(error);
  if (problem?.details.errors?.[0]?.path === 'email') throw linkExpired('address taken meanwhile');
  throw problem ?? error;
}
