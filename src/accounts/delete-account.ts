import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { Problem } from '../errors.ts';
import type { AttemptResult } from '../kv.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { proveCredentials, settleAttempt } from './login.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { noticeTo } from './notices.ts';
import { deleteUser, forgetAudit } from './password-store.ts';
import { openPersonalData } from './profile.ts';
import { type Proof, provePassword, wrongPassword } from './reauthenticate.ts';
import type { UserRow } from './store.ts';

const type = 'account_deleted';
/** An audit row of nobody: what happened and when, not who it was or from where. */
const nobody = { userId: null, sessionId: null, origin: { address: undefined, userAgent: undefined } } as const;

/**
 * Deletes the account of a caller who knows its password, with all that is held of the person.
 * @throws {Problem} `wrong_password`, `invalid_token`
 */
export async function deleteAccount(deps: SessionDeps, proof: Omit<Proof, 'field' | 'type'>): Promise<void> {
  const user = await provePassword(deps, { ...proof, field: 'password', type });
  if (!(await removeUser(deps, user, proof.call))) throw wrongPassword('password');
}

/**
 * The same for somebody who shows a name and the password, as one does to sign in: it counts as a sign-in, is locked as
 * one, and starts no session.
 * @throws {Problem} `invalid_credentials`
 */
export async function deleteByCredentials(
  deps: SessionDeps,
  request: LoginAttempt & { readonly password: string },
  tried: AttemptResult,
  call: Call,
): Promise<void> {
  await settleAttempt(deps, request, call, async () => {
    const { account } = await proveCredentials(deps, request, tried, type, call);
    if (await removeUser(deps, account, call)) return;
    throw new Problem('invalid_credentials', { reason: 'changed meanwhile' });
  });
}

/** @returns whether the password was still the one that was verified, and the user is gone */
async function removeUser(deps: SessionDeps, user: UserRow, call: Call): Promise<boolean> {
  const { db, relay, revocation } = deps;
  const { email } = await openPersonalData(deps, user);
  const notices = await noticeTo(deps, type, { ...user, email }, call);
  const audit = auditRow(deps, { type, result: 'success', ...nobody });
  const { deleted, sessionIds } = await deleteUser(db, user, audit, notices);
  if (!deleted) return false;
  call.after(() => relay.deliver(notices));
  await Promise.all([revocation.revokeUser(user.id, sessionIds, null), forgetAudit(db, user.id)]);
  return true;
}
