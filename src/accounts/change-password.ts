import { auditRow } from '../audit/audit.ts';
import { Problem } from '../errors.ts';
import { issueDeviceToken } from '../limits/device.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { provenTokens, type SessionDeps, type Tokens } from '../sessions/sessions.ts';
import { noticeTo } from './notices.ts';
import { ownerOf, refuseWeakPassword } from './password.ts';
import { replacePassword } from './password-store.ts';
import { openPersonalData } from './profile.ts';
import { type Proof, withPassword } from './reauthenticate.ts';
import type { UserRow } from './store.ts';
import { passwordChanged } from './user-events.ts';

const type = 'password_changed';

/**
 * Changes the password of a caller who knows it, and ends all sessions but the caller's.
 * @returns the tokens of the session that goes on; its older access tokens stay good too. Device tokens from before are
 * good no longer, so there is one for this device
 * @throws {Problem} `wrong_password`, `invalid_token`; `validation_failed` for the new password
 */
export async function changePassword(
  deps: SessionDeps,
  proof: Omit<Proof, 'field' | 'type'>,
  newPassword: string,
): Promise<{ tokens: Tokens; deviceToken: string }> {
  // Before anything changes: else the answer could fail for want of a key.
  await deps.signingKeys.signing();
  return await withPassword(deps, { ...proof, field: 'current_password', type }, (user) =>
    changeTo(deps, user, proof, newPassword),
  );
}

/** @returns undefined where the hash is no longer the one that was verified */
async function changeTo(
  deps: SessionDeps,
  user: UserRow & { readonly passwordHash: string },
  proof: Omit<Proof, 'field' | 'type'>,
  newPassword: string,
): Promise<{ tokens: Tokens; deviceToken: string } | undefined> {
  const { db, hasher, now, revocation } = deps;
  if (newPassword.normalize('NFKC') === proof.password.normalize('NFKC')) {
    const message = 'Choose a password other than the current one';
    throw new Problem('validation_failed', { errors: [{ path: 'new_password', message }] });
  }
  const { email } = await openPersonalData(deps, user);
  await refuseWeakPassword(deps, 'new_password', newPassword, ownerOf(email, user.usernameKey));
  const hashes = { verified: user.passwordHash, next: await hasher.hash(newPassword, proof.call.signal, 'front') };
  const { userId, sessionId } = proof.caller;
  const audit = auditRow(deps, { type, result: 'success', userId, sessionId, origin: proof.call.origin });
  const notices = await noticeTo(deps, 'password_changed', { ...user, email }, proof.call);
  const ending = { reason: 'password_changed', except: sessionId } as const;
  const enqueued = [...notices, ...(await passwordChanged(deps, userId, 'changed', ending))];
  const { confirmed, session, ended } = await replacePassword(db, proof.caller, hashes, now(), audit, enqueued);
  if (!confirmed) return undefined;
  if (session === undefined) throw new Problem('invalid_token', { reason: 'session ended meanwhile' });
  deliverAfter(deps, proof.call, enqueued);
  await revocation.revokeUser(userId, ended, sessionId);
  const owner = { id: userId, passwordHash: hashes.next };
  const [tokens, deviceToken] = await Promise.all([
    provenTokens(deps, session),
    issueDeviceToken(deps, ownerOf(email, user.usernameKey), owner),
  ]);
  return { tokens, deviceToken };
}
