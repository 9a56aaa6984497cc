import { auditRow } from '../audit/audit.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { Problem } from '../errors.ts';
import { eventRow } from '../outbox/outbox.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { normaliseEmail } from './email.ts';
import { noticeTo } from './notices.ts';
import { deleteUser, forgetAudit } from './password-store.ts';
import { openPersonalData } from './profile.ts';
import { type Proof, provePassword, wrongPassword } from './reauthenticate.ts';

/** An audit row of nobody: what happened and when, not who it was or from where. */
const nobody = { userId: null, sessionId: null, origin: { address: undefined, userAgent: undefined } } as const;

/**
 * Deletes the account of a caller who knows its password, with all that is held of the person.
 * @throws {Problem} `wrong_password`, `invalid_token`; `last_admin` where nobody else would be one
 */
export async function deleteAccount(deps: SessionDeps, proof: Omit<Proof, 'field' | 'type'>): Promise<void> {
  const { db, relay, revocation } = deps;
  const type = 'account_deleted';
  const { userId } = proof.caller;
  const user = await provePassword(deps, { ...proof, field: 'password', type });
  const { email } = await openPersonalData(deps, user);
  const key = email === null ? undefined : normaliseEmail(email)?.key;
  const emailIndexes = key === undefined ? [] : await blindIndexes(deps.keyring, 'email', key);
  const notices = await noticeTo(deps, type, { ...user, email }, proof.call);
  const audit = auditRow(deps, { type, result: 'success', ...nobody });
  const event = await eventRow(deps, 'UserDeleted', { user_id: userId });
  const { deleted, lastAdmin, sessionIds } = await deleteUser(db, user, emailIndexes, audit, [...notices, event]);
  if (lastAdmin) throw new Problem('last_admin');
  if (!deleted) throw wrongPassword('password');
  proof.call.after(() => relay.deliver(notices));
  await Promise.all([revocation.revokeUser(userId, sessionIds, null), forgetAudit(db, userId)]);
}
