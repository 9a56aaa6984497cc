import type { EmailAddress } from '../accounts/email.ts';
import { newUser } from '../accounts/new-user.ts';
import { refuseWeakPassword } from '../accounts/password.ts';
import { toUser } from '../accounts/profile.ts';
import { enqueueVerification } from '../accounts/register.ts';
import { findAccount, isEmailIndexed, readUser, type UserRow } from '../accounts/store.ts';
import { refuseTaken, taken } from '../accounts/taken.ts';
import { userCreated } from '../accounts/user-events.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { deliverAfter } from '../outbox/relay.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { type Action, actionAudit, enqueuePasswordMail, noSuchUser } from './change-user.ts';
import { type AdminUser, type CreateUserRequest, readPlace, type UserQuery, writePlace } from './schemas.ts';
import { insertUser, readUsers, readUsersByUsername } from './user-store.ts';

/** A user as admins see them. */
async function toAdminUser(deps: Pick<Deps, 'keyring'>, row: UserRow): Promise<AdminUser> {
  return {
    ...(await toUser(deps, row)),
    locale: row.locale,
    status: row.status,
    email_verified_at: row.emailVerifiedAt?.toISOString() ?? null,
    has_password: row.passwordHash !== null,
  };
}

/** Milliseconds of a time as it stands in a query. */
export const timeOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

/** One page of users: newest first, or by username where its beginning was given. */
export async function listUsers(
  deps: Pick<Deps, 'db' | 'keyring'>,
  query: UserQuery,
): Promise<{ items: AdminUser[]; next_cursor: string | null }> {
  const { db } = deps;
  const { limit, cursor, status, role, username } = query;
  const rows =
    username === undefined
      ? await readUsers(
          db,
          {
            limit: limit + 1,
            before: cursor === undefined ? undefined : readPlace(cursor),
            from: timeOf(query.created_from),
            to: timeOf(query.created_to),
          },
          { status, role },
        )
      : await readUsersByUsername(db, { prefix: username.key, after: cursor, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: await Promise.all(shown.map((row) => toAdminUser(deps, row))),
    next_cursor: last === undefined ? null : username === undefined ? writePlace(last) : last.usernameKey,
  };
}

/** The user of an address, where there is one. */
export async function findUser(deps: Pick<Deps, 'db' | 'keyring'>, email: EmailAddress): Promise<AdminUser[]> {
  const row = await findAccount(deps.db, { emailIndexes: await blindIndexes(deps.keyring, 'email', email.key) });
  return row === undefined ? [] : [await toAdminUser(deps, row)];
}

/** @throws {Problem} `not_found` */
export async function readOneUser(deps: Pick<Deps, 'db' | 'keyring'>, id: string): Promise<AdminUser> {
  const row = await readUser(deps.db, id);
  if (row === undefined) throw noSuchUser();
  return await toAdminUser(deps, row);
}

/** An empty page may be one of nobody: asked only then, so that the usual page costs one statement. @throws {Problem} `not_found` */
export async function refuseUnknown(db: Deps['db'], id: string): Promise<void> {
  if ((await readUser(db, id)) === undefined) throw noSuchUser();
}

/**
 * Makes an account for somebody else. Without a password a mail to choose one goes out; with one, and an address that
 * counts as not verified, the mail to verify it. The role is `user`: others are given by who may give them.
 * @throws {Problem} `identifier_taken`; `validation_failed` for the password
 */
export async function createUser(
  deps: SessionDeps,
  request: CreateUserRequest,
  action: Omit<Action, 'userId'>,
): Promise<AdminUser> {
  const { db, hasher, keyring } = deps;
  const { email, username, password } = request;
  const { call } = action;
  const [, ...older] = email === undefined ? [] : await blindIndexes(keyring, 'email', email.key);
  if (older.length > 0 && (await isEmailIndexed(db, older))) throw taken('email');
  if (password !== undefined) {
    const owner = { emailKey: email?.key, usernameKey: username?.key };
    await refuseWeakPassword(deps, 'password', password, owner);
  }
  const row = await newUser(deps, {
    email: email ?? null,
    emailVerified: email !== undefined && request.email_verified,
    username: username ?? null,
    passwordHash: password === undefined ? null : await hasher.hash(password, call.signal),
    name: request.name ?? null,
    surname: request.surname ?? null,
    phoneNumber: request.phone_number ?? null,
    locale: request.locale ?? null,
  });
  const enqueued = await firstMail(deps, row, email?.address);
  const audit = actionAudit(deps, 'user_created', { ...action, userId: row.id });
  const events = await userCreated(deps, row, email?.address ?? null, 'admin');
  await insertUser(db, row, audit, enqueued, events).catch(refuseTaken);
  deliverAfter(deps, call, [...(enqueued === undefined ? [] : [enqueued.mail]), ...events]);
  return await toAdminUser(deps, row);
}

/** What a new user is sent: to choose a password where there is none, else to verify the address where that is due. */
async function firstMail(deps: Deps, row: UserRow, address: string | undefined) {
  if (address === undefined || row.emailIndex === null) return undefined;
  if (row.passwordHash === null) {
    return await enqueuePasswordMail(deps, row, { emailIndex: row.emailIndex, to: address });
  }
  if (row.emailVerifiedAt !== null) return undefined;
  // Not in the language of the admin, and from nowhere.
  const event = { at: deps.now(), address: null, device: null };
  const asked = { event, languages: undefined, redirectTo: undefined };
  return await enqueueVerification(deps, row, address, asked, 'confirm_created_account');
}
