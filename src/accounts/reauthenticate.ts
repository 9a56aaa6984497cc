import { type AuditEntry, auditRow, recordAudit } from '../audit/audit.ts';
import type { Call, Caller } from '../call.ts';
import { Problem } from '../errors.ts';
import { provenTokens, type SessionDeps, type Tokens } from '../sessions/sessions.ts';
import { confirmPassword } from './password-store.ts';
import { readUser, type UserRow } from './store.ts';

/** Who proves a password, and for what. */
export interface Proof {
  readonly caller: Pick<Caller, 'userId' | 'sessionId'>;
  readonly password: string;
  /** Where the password stood in the body. */
  readonly field: string;
  readonly type: AuditEntry['type'];
  readonly call: Call;
}

/**
 * Has a caller prove the password. What follows from it must hold `passwordHash` to be still the one that is stored.
 * @throws {Problem} `wrong_password`; `invalid_token` where the account is gone or disabled since the token was issued
 */
async function provePassword(
  deps: SessionDeps,
  { caller, password, field, type, call: { origin, signal } }: Proof,
): Promise<UserRow & { readonly passwordHash: string }> {
  const { db, hasher } = deps;
  const user = await readUser(db, caller.userId);
  if (user === undefined || user.status !== 'active') throw new Problem('invalid_token', { reason: 'no such user' });
  const { passwordHash } = user;
  const { valid } = await hasher.verify(password, passwordHash, signal);
  if (valid && passwordHash !== null) return { ...user, passwordHash };
  const { userId, sessionId } = caller;
  await recordAudit(db, auditRow(deps, { type, result: 'failure', userId, sessionId, origin }));
  throw wrongPassword(field);
}

/** How often a password is proved for one request. */
export const maxProofs = 2;

/**
 * Has a caller prove the password, and does what it is for where the hash is still the one that was verified. The same
 * password may have another hash meanwhile, from a sign-in or under a new secret: so it is proved once more.
 * @param work gives undefined where the hash is another by now
 * @throws {Problem} `wrong_password`, `invalid_token`
 */
export async function withPassword<Result>(
  deps: SessionDeps,
  proof: Proof,
  work: (user: UserRow & { readonly passwordHash: string }) => Promise<Result | undefined>,
): Promise<Result> {
  for (let attempt = 1; attempt <= maxProofs; attempt += 1) {
    const result = await work(await provePassword(deps, proof));
    if (result !== undefined) return result;
  }
  throw wrongPassword(proof.field);
}

/** Not a 401: the token is good, and a client must not try to renew it. */
const wrongPassword = (field: string) =>
  new Problem('wrong_password', { errors: [{ path: field, message: 'This is not the current password' }] });

/**
 * Proves the password again for the session that goes on.
 * @returns its tokens, with the new `auth_time`
 * @throws {Problem} `wrong_password`, `invalid_token`
 */
export async function reauthenticate(deps: SessionDeps, proof: Omit<Proof, 'field' | 'type'>): Promise<Tokens> {
  const type = 'reauthentication';
  const { userId, sessionId } = proof.caller;
  // Before anything changes: else the answer could fail for want of a key.
  await deps.signingKeys.signing();
  const { session } = await withPassword(deps, { ...proof, field: 'password', type }, async ({ passwordHash }) => {
    const audit = auditRow(deps, { type, result: 'success', userId, sessionId, origin: proof.call.origin });
    const outcome = await confirmPassword(deps.db, proof.caller, passwordHash, deps.now(), audit);
    return outcome.confirmed ? outcome : undefined;
  });
  if (session === undefined) throw new Problem('invalid_token', { reason: 'session ended meanwhile' });
  return await provenTokens(deps, session);
}
