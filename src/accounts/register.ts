import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { issueDeviceToken } from '../limits/device.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { sessionStarted } from '../sessions/session-events.ts';
import { firstTokens, newSession, type SessionDeps } from '../sessions/sessions.ts';
import type { SignedIn } from './login.ts';
import { newUser } from './new-user.ts';
import { type Asked, enqueueToken, occasionOf } from './one-time-tokens.ts';
import { refuseWeakPassword } from './password.ts';
import { toUser } from './profile.ts';
import type { RegisterRequest } from './schemas.ts';
import { insertAccount, isEmailIndexed, type UserRow } from './store.ts';
import { refuseTaken, taken } from './taken.ts';
import type { TokenAndMail } from './token-store.ts';
import { userCreated } from './user-events.ts';

/**
 * Makes an account and signs it in, in one statement; a mail to verify the address follows.
 * @throws {Problem} `identifier_taken` or, for the password, `validation_failed`; both name the field
 */
export async function register(deps: SessionDeps, request: RegisterRequest, call: Call): Promise<SignedIn> {
  const { db, hasher, keyring } = deps;
  const owner = { emailKey: request.email?.key, usernameKey: request.username?.key };
  // Before anything changes: else the answer could fail for want of a key after the account is made.
  await deps.signingKeys.signing();
  await refuseWeakPassword(deps, 'password', request.password, owner);
  // The unique index sees the newest secret's index only. While a secret is being replaced, ask for the others too.
  const [, ...older] = request.email === undefined ? [] : await blindIndexes(keyring, 'email', request.email.key);
  if (older.length > 0 && (await isEmailIndexed(db, older))) throw taken('email');
  const row = await newUser(deps, {
    email: request.email ?? null,
    emailVerified: false,
    username: request.username ?? null,
    passwordHash: await hasher.hash(request.password, call.signal),
    name: request.name ?? null,
    surname: request.surname ?? null,
    phoneNumber: request.phone_number ?? null,
    locale: request.locale ?? null,
  });
  const session = newSession(deps, row, call.origin);
  const entry = { result: 'success', userId: row.id, sessionId: session.id, origin: call.origin } as const;
  const audit = [auditRow(deps, { type: 'user_registered', ...entry })];
  const asked = { event: occasionOf(deps, call), languages: call.languages, redirectTo: request.redirect_to };
  const verification = await enqueueVerification(deps, row, request.email?.address, asked);
  const events = [
    ...(await userCreated(deps, row, request.email?.address ?? null, 'registration')),
    ...(await sessionStarted(deps, session)),
  ];
  await insertAccount(db, row, session, audit, verification, events).catch(refuseTaken);
  deliverAfter(deps, call, [...(verification === undefined ? [] : [verification.mail]), ...events]);
  const [user, tokens, deviceToken] = await Promise.all([
    toUser(deps, row),
    firstTokens(deps, session, row.roles),
    issueDeviceToken(deps, owner, row),
  ]);
  return { user, tokens, deviceToken };
}

/**
 * The mail that verifies the address of an account and changes nothing else of it: the token is bound to that address.
 * @param type who chose the password, which the mail says: whoever holds the address, or an admin
 */
export async function enqueueVerification(
  deps: Deps,
  user: Pick<UserRow, 'id' | 'emailIndex' | 'locale'>,
  address: string | undefined,
  { event, languages, redirectTo }: Asked,
  type: 'verify_email' | 'confirm_created_account' = 'verify_email',
): Promise<TokenAndMail | undefined> {
  if (address === undefined || user.emailIndex === null) return undefined;
  return await enqueueToken(deps, {
    purpose: 'verify_email',
    userId: user.id,
    emailIndex: user.emailIndex,
    to: address,
    locale: chooseLocale(user.locale, languages),
    message: (secret) => ({ type, data: { ...secret, ...event, redirect_to: redirectTo } }),
  });
}
