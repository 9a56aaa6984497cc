import { auditRow, recordAudit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { sqlState } from '../db/database.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { limitSessions } from '../sessions/session-limit.ts';
import { firstTokens, newSession, type SessionDeps, type Tokens } from '../sessions/sessions.ts';
import { insertSession } from '../sessions/store.ts';
import { normaliseEmail } from './email.ts';
import { toUser } from './profile.ts';
import type { User } from './schemas.ts';
import { type AccountLookup, findAccount, type UserRow } from './store.ts';
import { normaliseUsername } from './username.ts';

const notNullViolation = '23502';

/** What was typed as an identifier, ready to be looked up. */
export interface Identifier {
  readonly lookup: AccountLookup;
  /** The same for each spelling of one identifier, whether an account has it or not; tells nothing about it. */
  readonly limitKey: string;
}

/** With an @ it is an email, else a username: no username holds one. */
export async function readIdentifier({ keyring }: Pick<Deps, 'keyring'>, typed: string): Promise<Identifier> {
  if (typed.normalize('NFKC').includes('@')) {
    // What is no address has no account either, and goes the same way.
    const key = normaliseEmail(typed)?.key ?? typed;
    const emailIndexes = await blindIndexes(keyring, 'email', key);
    return { lookup: { emailIndexes }, limitKey: emailIndexes[0] };
  }
  const usernameKey = normaliseUsername(typed)?.key ?? '';
  const [limitKey] = await blindIndexes(keyring, 'username', usernameKey);
  return { lookup: { usernameKey }, limitKey };
}

/**
 * Signs in with a password. An unknown identifier costs the same statements and the same hash as a wrong password.
 * @throws {Problem} `invalid_credentials`, for either
 */
export async function login(
  deps: SessionDeps,
  { identifier, password }: { readonly identifier: Identifier; readonly password: string },
  { origin, signal }: Call,
): Promise<{ user: User; tokens: Tokens }> {
  const { db, hasher } = deps;
  const { lookup } = identifier;
  const account = await findAccount(db, lookup);
  const { valid, needsUpgrade } = await hasher.verify(password, account?.passwordHash ?? null, signal);
  const userId = account?.id ?? null;
  if (account === undefined || !valid || account.status !== 'active') {
    await recordAudit(db, auditRow(deps, { type: 'login', result: 'failure', userId, sessionId: null, origin }));
    const reason = account === undefined ? 'unknown account' : valid ? account.status : 'wrong password';
    throw new Problem('invalid_credentials', { reason });
  }
  const session = newSession(deps, account, origin);
  const audit = auditRow(deps, { type: 'login', result: 'success', userId, sessionId: session.id, origin });
  const passwordHash = needsUpgrade ? { passwordHash: await hasher.hash(password, signal) } : {};
  try {
    await insertSession(db, session, audit, { ...passwordHash, ...newerIndex(lookup, account) });
  } catch (error) {
    // The account was disabled, or its sessions ended, between the two statements.
    if (sqlState(error)?.code === notNullViolation) {
      throw new Problem('invalid_credentials', { reason: 'changed meanwhile' });
    }
    throw error;
  }
  const [user, tokens] = await Promise.all([
    toUser(deps, account),
    firstTokens(deps, session, account.roles),
    limitSessions(deps, session, origin),
  ]);
  return { user, tokens };
}

/** The index under the newest secret, where the row still holds one that an older secret made. */
function newerIndex(lookup: AccountLookup, account: UserRow): { emailIndex?: string } {
  const newest = lookup.emailIndexes?.[0];
  return newest === undefined || newest === account.emailIndex ? {} : { emailIndex: newest };
}
