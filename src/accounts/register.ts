import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { sqlState } from '../db/database.ts';
import { Problem } from '../errors.ts';
import { firstTokens, newSession, type SessionDeps, type Tokens } from '../sessions/sessions.ts';
import { refuseWeakPassword } from './password.ts';
import { sealPersonalData, toUser } from './profile.ts';
import type { RegisterRequest, User } from './schemas.ts';
import { insertAccount, isEmailIndexed } from './store.ts';

const uniqueViolation = '23505';
const takenFields: Readonly<Record<string, string>> = {
  users_email_index_key: 'email',
  users_username_key: 'username',
};

/**
 * Makes an account and signs it in, in one statement.
 * @throws {Problem} `identifier_taken` or, for the password, `validation_failed`; both name the field
 */
export async function register(
  deps: SessionDeps,
  request: RegisterRequest,
  { origin, signal }: Call,
): Promise<{ user: User; tokens: Tokens }> {
  const { db, hasher, keyring, newId, now } = deps;
  const owner = { emailKey: request.email?.key, usernameKey: request.username?.key };
  await refuseWeakPassword(deps, 'password', request.password, owner);
  const id = newId();
  const email = request.email === undefined ? undefined : await blindIndexes(keyring, 'email', request.email.key);
  const phone =
    request.phone_number === undefined ? undefined : await blindIndexes(keyring, 'phone', request.phone_number);
  // The unique index sees the newest secret's index only. While a secret is being replaced, ask for the others too.
  const [, ...olderIndexes] = email ?? [];
  if (olderIndexes.length > 0 && (await isEmailIndexed(db, olderIndexes))) throw taken('email');
  const sealed = await sealPersonalData(deps, id, {
    email: request.email?.address ?? null,
    phoneNumber: request.phone_number ?? null,
    profile: { name: request.name ?? null, surname: request.surname ?? null },
  });
  const time = new Date(now());
  const row = {
    id,
    username: request.username?.username ?? null,
    usernameKey: request.username?.key ?? null,
    emailIndex: email?.[0] ?? null,
    emailVerifiedAt: null,
    phoneIndex: phone?.[0] ?? null,
    ...sealed,
    passwordHash: await hasher.hash(request.password, signal),
    status: 'active' as const,
    roles: ['user'],
    sessionEpoch: 0,
    locale: null,
    version: 0,
    createdAt: time,
    updatedAt: time,
  };
  const session = newSession(deps, row, origin);
  const entry = { result: 'success', userId: id, sessionId: session.id, origin } as const;
  try {
    await insertAccount(db, row, session, [auditRow(deps, { type: 'user_registered', ...entry })]);
  } catch (error) {
    const state = sqlState(error);
    if (state?.code === uniqueViolation) throw taken(takenFields[state.constraint ?? ''] ?? '');
    throw error;
  }
  const [user, tokens] = await Promise.all([toUser(deps, row), firstTokens(deps, session, row.roles)]);
  return { user, tokens };
}

const taken = (path: string) => new Problem('identifier_taken', { errors: [{ path, message: 'Already taken' }] });
