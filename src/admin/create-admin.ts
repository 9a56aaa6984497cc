import type { EmailAddress } from '../accounts/email.ts';
import { newUser } from '../accounts/new-user.ts';
import { refuseWeakPassword } from '../accounts/password.ts';
import { findAccount, type UserRow } from '../accounts/store.ts';
import { refuseTaken } from '../accounts/taken.ts';
import { passwordChanged, userCreated } from '../accounts/user-events.ts';
import type { Username } from '../accounts/username.ts';
import { auditRow } from '../audit/audit.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/event-rows.ts';
import { adminRole, defaultRole } from '../roles/permissions.ts';
import { changeUser } from './change-store.ts';
import { enqueuePasswordMail } from './change-user.ts';
import { insertUser } from './user-store.ts';

export interface NewAdmin {
  readonly email: EmailAddress;
  readonly username: Username | null;
  /** Asked where one is needed; gives undefined where a mail to choose one shall go out instead. */
  readonly askPassword: () => Promise<string | undefined>;
}

/**
 * What came of it. `claimed` is an account that never verified the address, `equipped` one without a password: both get
 * the one that is asked for, or the mail.
 */
type Made = 'created' | 'promoted' | 'claimed' | 'equipped' | 'unchanged';

/**
 * Makes an admin of whoever holds an address, for an operator, whose word it is that they do.
 * An account that has verified the address keeps its password and gets the role. One that has not may be a stranger's:
 * its sessions end, its links are void, and its password is replaced. One without a password is given one: an admin who
 * cannot sign in is none.
 * @throws {Problem} `validation_failed` for the password, `identifier_taken` for the username
 */
export async function createAdmin(deps: Deps, wanted: NewAdmin): Promise<Made> {
  const { db, keyring } = deps;
  const emailIndexes = await blindIndexes(keyring, 'email', wanted.email.key);
  const account = await findAccount(db, { emailIndexes });
  if (account === undefined) return await insertAdmin(deps, wanted);
  const isAdmin = account.status === 'active' && account.roles.includes(adminRole);
  if (account.emailVerifiedAt === null || account.passwordHash === null) return await claim(deps, wanted, account);
  if (isAdmin) return 'unchanged';
  await promote(deps, account, {});
  return 'promoted';
}

const operator = { sessionId: null, origin: { address: undefined, userAgent: undefined } } as const;

async function insertAdmin(deps: Deps, { email, username, askPassword }: NewAdmin): Promise<Made> {
  const passwordHash = await hashPassword(deps, await askPassword(), email, username?.key);
  // Without a password the mail is what verifies the address.
  const blank = { name: null, surname: null, phoneNumber: null, locale: null };
  const user = await newUser(deps, { email, emailVerified: passwordHash !== null, username, passwordHash, ...blank });
  const row = { ...user, roles: [adminRole, defaultRole] };
  const audit = auditRow(deps, { type: 'user_created', result: 'success', userId: row.id, ...operator });
  const events = await userCreated(deps, row, email.address, 'admin');
  await insertUser(deps.db, row, audit, await passwordMail(deps, row, email), events).catch(refuseTaken);
  return 'created';
}

async function claim(deps: Deps, { email, askPassword }: NewAdmin, account: UserRow): Promise<Made> {
  const passwordHash = await hashPassword(deps, await askPassword(), email, account.usernameKey ?? undefined);
  const isVerified = account.emailVerifiedAt !== null;
  const emailVerifiedAt = account.emailVerifiedAt ?? (passwordHash === null ? null : new Date(deps.now()));
  const hadNone = account.passwordHash === null && passwordHash === null;
  await promote(deps, account, {
    set: { passwordHash, emailVerifiedAt },
    endsSessions: 'password_changed',
    // What undoes a change of the address belongs to whoever had verified it.
    drops: ['verify_email', 'reset_password', 'change_email', ...(isVerified ? [] : (['undo_email_change'] as const))],
    enqueued: await passwordMail(deps, { ...account, passwordHash }, email),
    events: [
      ...(hadNone
        ? []
        : await passwordChanged(deps, account.id, passwordHash === null ? 'removed' : 'changed', {
            reason: 'password_changed',
          })),
      ...(passwordHash === null || isVerified ? [] : await eventRows(deps, 'UserVerified', account.id, {})),
    ],
  });
  return isVerified ? 'equipped' : 'claimed';
}

type Extra = Partial<Pick<Parameters<typeof changeUser>[3], 'set' | 'endsSessions' | 'drops' | 'enqueued' | 'events'>>;

/** The mark that refuses older access tokens is written by the scheduled work of the service, within a minute. */
async function promote(deps: Deps, account: UserRow, { set, events = [], ...extra }: Extra): Promise<void> {
  const time = deps.now();
  const roles = [...new Set([...account.roles, adminRole])].sort();
  const enabled =
    account.status === 'active'
      ? []
      : await eventRows(deps, 'UserUpdated', account.id, { fields: ['status'], status: 'active' });
  const { changed } = await changeUser(deps.db, account.id, time, {
    set: { roles, rolesChangedAt: new Date(time), status: 'active', ...set },
    admins: false,
    from: account.emailIndex,
    events: [...events, ...enabled, ...(await eventRows(deps, 'RoleChanged', account.id, { roles }))],
    audit: auditRow(deps, { type: 'roles_changed', result: 'success', userId: account.id, ...operator }),
    ...extra,
  });
  if (!changed) throw new Problem('precondition_failed', { reason: 'changed meanwhile' });
}

async function hashPassword(
  deps: Deps,
  password: string | undefined,
  email: EmailAddress,
  usernameKey: string | undefined,
): Promise<string | null> {
  if (password === undefined) return null;
  await refuseWeakPassword(deps, 'password', password, { emailKey: email.key, usernameKey });
  return await deps.hasher.hash(password);
}

async function passwordMail(deps: Deps, row: UserRow, { address }: EmailAddress) {
  if (row.passwordHash !== null || row.emailIndex === null) return undefined;
  return await enqueuePasswordMail(deps, row, { emailIndex: row.emailIndex, to: address });
}
