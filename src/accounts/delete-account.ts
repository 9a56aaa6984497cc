import { type AuditRow, auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/event-rows.ts';
import type { AttemptResult } from '../kv-attempts.ts';
import { describeError } from '../ops/log.ts';
import { deliverAfter } from '../outbox/relay.ts';
import type { OutboxRow } from '../outbox/store.ts';
import { outOfReach } from '../roles/store.ts';
import { forgetNext, maxEnded } from '../sessions/ending-store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { normaliseEmail } from './email.ts';
import { proveCredentials, settleAttempt } from './login.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { noticeTo } from './notices.ts';
import { deleteUser } from './password-store.ts';
import { openPersonalData } from './profile.ts';
import { maxProofs, type Proof, withPassword } from './reauthenticate.ts';
import type { UserRow } from './store.ts';

const type = 'account_deleted';
/** An audit row of nobody: what happened and when, not who it was or from where. */
const nobody = { userId: null, sessionId: null, origin: { address: undefined, userAgent: undefined } } as const;

/**
 * Deletes the account of a caller who knows its password, with all that is held of the person.
 * @throws {Problem} `wrong_password`, `invalid_token`; `last_admin` where nobody else would be one
 */
export async function deleteAccount(deps: SessionDeps, proof: Omit<Proof, 'field' | 'type'>): Promise<void> {
  await withPassword(deps, { ...proof, field: 'password', type }, async (user) =>
    (await removeUser(deps, user, proof.call)) ? true : undefined,
  );
}

/**
 * The same for somebody who shows a name and the password, as one does to sign in: it counts as a sign-in, is locked as
 * one, and starts no session.
 * @throws {Problem} `invalid_credentials`, `last_admin`
 */
export async function deleteByCredentials(
  deps: SessionDeps,
  request: LoginAttempt & { readonly password: string },
  tried: AttemptResult,
  call: Call,
): Promise<void> {
  await settleAttempt(deps, request, tried, call, async (asked, counted) => {
    // Once more, where the hash moved meanwhile: another sign-in, or a new secret, may have replaced it.
    for (let attempt = 1; attempt <= maxProofs; attempt += 1) {
      const { account } = await proveCredentials(deps, asked, counted, type, call);
      if (await removeUser(deps, account, call)) return;
    }
    throw new Problem('invalid_credentials', { reason: 'changed meanwhile' });
  });
}

/** @returns whether the password was still the one that was verified, and the user is gone */
async function removeUser(deps: SessionDeps, user: UserRow, call: Call): Promise<boolean> {
  const { id, locale, passwordHash } = user;
  const { email } = await openPersonalData(deps, user);
  const audit = auditRow(deps, { type, result: 'success', ...nobody });
  const notices = await noticeTo(deps, type, { id, locale, email }, call);
  return passwordHash !== null && (await forgetUser(deps, { id, email, passwordHash }, audit, notices, call));
}

/**
 * Deletes a user with all that is held of the person, promises the event that tells other services, and refuses the
 * tokens.
 * @param user `passwordHash` where it has to be the stored one still
 * @param notices mails that say so, sent after the answer
 * @returns whether there was such a user
 * @throws {Problem} `last_admin`; `forbidden` where it is an admin, and who does it may not
 */
export async function forgetUser(
  deps: SessionDeps,
  user: { readonly id: string; readonly email: string | null; readonly passwordHash?: string },
  audit: AuditRow,
  notices: readonly OutboxRow[],
  call: Pick<Call, 'after'>,
): Promise<boolean> {
  const { db, revocation } = deps;
  const key = user.email === null ? undefined : normaliseEmail(user.email)?.key;
  const emailIndexes = key === undefined ? [] : await blindIndexes(deps.keyring, 'email', key);
  const enqueued = [...notices, ...(await eventRows(deps, 'UserDeleted', user.id, {}))];
  const { sessionIds, ...outcome } = await deleteUser(db, user, emailIndexes, deps.now(), audit, enqueued);
  if (outcome.isOutOfReach) throw outOfReach();
  if (outcome.isLastAdmin) throw new Problem('last_admin');
  if (!outcome.deleted) return false;
  deliverAfter(deps, call, enqueued);
  // The account is gone: what this leaves the scheduled work takes.
  const forgotten = forgetNext(db, user.id, maxEnded).catch((error: unknown) =>
    deps.log.warn('forgetting_failed', describeError(error)),
  );
  await Promise.all([revocation.revokeUser(user.id, sessionIds, null), forgotten]);
  return true;
}
