import * as z from 'zod';
import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { eventRows } from '../events/event-rows.ts';
import { type DeviceOwner, issueDeviceToken, type Names } from '../limits/device.ts';
import { clearLockout } from '../limits/lockout.ts';
import { taskRow } from '../outbox/outbox.ts';
import { deliverAfter, type Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { type Identifier, limitKeysOf } from './identifier.ts';
import { newUser } from './new-user.ts';
import { noticeTo } from './notices.ts';
import {
  asked,
  askedOf,
  enqueueToken,
  findProof,
  linkExpired,
  type MailProof,
  openTokenData,
} from './one-time-tokens.ts';
import { ownerOf, refuseWeakPassword } from './password.ts';
import { openPersonalData } from './profile.ts';
import { redeemToken } from './redemption-store.ts';
import { enqueueFirstPassword, unverified } from './register-by-mail.ts';
import { redeemRegistration } from './registration-store.ts';
import { findAccount, readUser } from './store.ts';
import { type FoundToken, findPendingRegistrations, finishTask } from './token-store.ts';
import { passwordChanged, verifiedUserCreated } from './user-events.ts';
import { refuseLate } from './verify-email.ts';

const lookup = z.union([z.object({ emailIndexes: z.array(z.string()) }), z.object({ usernameKey: z.string() })]);
const task = z.object({ lookup }).and(asked);

/** Asks for a mail to set a new password. Whether there is such an account shows nowhere in the answer. */
export async function forgotPassword(
  deps: SessionDeps,
  identifier: Identifier,
  redirectTo: string | undefined,
  call: Call,
): Promise<void> {
  const row = await taskRow(deps, 'forgot_password', {
    lookup: identifier.lookup,
    ...askedOf(deps, call, redirectTo),
  });
  await insertOutbox(deps.db, [row]);
  call.after(() => deps.relay.deliver([row]));
}

/** Sends the mail, where there is an account with an address, or a registration that waits for it. */
export function forgotPasswordTask(deps: Deps): Task {
  const { db, now } = deps;
  return async (payload, row) => {
    const { lookup: by, event, languages, redirectTo } = task.parse(payload);
    const account = await findAccount(db, by);
    const token = { purpose: 'reset_password' } as const;
    const message = (secret: { token: string; code: string }) =>
      ({ type: 'reset_password', data: { ...secret, ...event, redirect_to: redirectTo } }) as const;
    const address = account === undefined ? null : (await openPersonalData(deps, account)).email;
    if (account?.status === 'active' && account.emailIndex !== null && address !== null) {
      const { id: userId, emailIndex } = account;
      const locale = chooseLocale(account.locale, languages);
      const enqueued = await enqueueToken(deps, { ...token, userId, emailIndex, to: address, locale, message });
      const entry = { type: 'password_reset_requested', result: 'success', userId, sessionId: null } as const;
      const audit = { ...auditRow(deps, { ...entry, origin: nowhere }), address: event.address };
      return (await finishTask(db, row.id, enqueued, audit)) ? [enqueued.mail] : [];
    }
    const [pending] =
      account === undefined && 'emailIndexes' in by ? await findPendingRegistrations(db, by.emailIndexes, now()) : [];
    if (pending === undefined) {
      await deleteOutbox(db, row.id);
      return [];
    }
    const registration = unverified.parse(await openTokenData(deps, pending));
    const enqueued = await enqueueFirstPassword(deps, pending.email_index, registration, {
      event,
      languages,
      redirectTo,
    });
    return (await finishTask(db, row.id, enqueued)) ? [enqueued.mail] : [];
  };
}

const nowhere = { address: undefined, userAgent: undefined };

/**
 * Sets a new password for who has read the mail: ends every session and every lockout, and verifies the address that
 * the mail came to. A password that is refused leaves the token good.
 * @returns a device token: who reads the mails of an account is no stranger to it
 * @throws {Problem} `link_expired`; `validation_failed` for the password
 */
export async function resetPassword(
  deps: SessionDeps,
  { proof, password }: { readonly proof: MailProof; readonly password: string },
  call: Call,
): Promise<{ deviceToken: string }> {
  const token = await findProof(deps, 'reset_password', proof);
  const { names, owner } =
    token.user_id === null
      ? await resetRegistration(deps, token, password, call)
      : await resetUser(deps, { id: token.id, userId: token.user_id }, password, call);
  await clearLockout(deps, await limitKeysOf(deps, names));
  return { deviceToken: await issueDeviceToken(deps, names, owner) };
}

interface Reset {
  readonly names: Names;
  readonly owner: DeviceOwner;
}

async function resetUser(
  deps: SessionDeps,
  token: { readonly id: string; readonly userId: string },
  password: string,
  call: Call,
): Promise<Reset> {
  const { db, hasher, now, revocation } = deps;
  const { userId } = token;
  const user = await readUser(db, userId);
  if (user === undefined || user.status !== 'active') throw linkExpired('no such user');
  const { email } = await openPersonalData(deps, user);
  const names = ownerOf(email, user.usernameKey);
  await refuseWeakPassword(deps, 'password', password, names);
  const mails = await noticeTo(deps, 'password_changed', { ...user, email }, call);
  const enqueued = [...mails, ...(await passwordChanged(deps, userId, 'reset', { reason: 'password_changed' }))];
  const whereVerified = await eventRows(deps, 'UserVerified', userId, {});
  const passwordHash = await hasher.hash(password, call.signal);
  const redeemed = await redeemToken(db, token, now(), {
    set: { passwordHash },
    verifies: true,
    endsSessions: 'password_changed',
    drops: ['reset_password', 'verify_email', 'change_email'],
    enqueued,
    whereVerified,
    audit: auditRow(deps, { type: 'password_reset', result: 'success', userId, sessionId: null, origin: call.origin }),
  });
  if (redeemed === undefined) throw linkExpired('used meanwhile');
  deliverAfter(deps, call, [...enqueued, ...whereVerified]);
  await revocation.revokeUser(userId, redeemed.ended, null);
  return { names, owner: { id: userId, passwordHash } };
}

async function resetRegistration(deps: SessionDeps, token: FoundToken, password: string, call: Call): Promise<Reset> {
  const { db, hasher, now } = deps;
  const { email, locale } = unverified.parse(await openTokenData(deps, token));
  const names = ownerOf(email.address, null);
  await refuseWeakPassword(deps, 'password', password, names);
  const passwordHash = await hasher.hash(password, call.signal);
  const blank = { username: null, name: null, surname: null, phoneNumber: null };
  const user = await newUser(deps, { email, emailVerified: true, passwordHash, locale, ...blank });
  const entry = { result: 'success', userId: user.id, sessionId: null, origin: call.origin } as const;
  const audit = auditRow(deps, { type: 'user_registered', ...entry });
  const indexes = await blindIndexes(deps.keyring, 'email', email.key);
  const events = await verifiedUserCreated(deps, user, email.address);
  const made = await redeemRegistration(
    db,
    { id: token.id, staysKnown: false },
    indexes,
    user,
    now(),
    audit,
    events,
  ).catch(refuseLate);
  if (!made) throw linkExpired('used meanwhile');
  deliverAfter(deps, call, events);
  return { names, owner: { id: user.id, passwordHash } };
}
