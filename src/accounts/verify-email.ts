import * as z from 'zod';
import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { eventRows } from '../events/promise.ts';
import { taskRow } from '../outbox/outbox.ts';
import { deliverAfter, type Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox, type OutboxRow } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { EmailAddress } from './email.ts';
import { newUser, userColumns } from './new-user.ts';
import {
  findProof,
  linkExpired,
  type MailProof,
  type Occasion,
  occasion,
  occasionOf,
  openTokenData,
  promiseToken,
} from './one-time-tokens.ts';
import { openPersonalData } from './profile.ts';
import { redeemRegistration, redeemToken } from './redemption-store.ts';
import { takenBy } from './register.ts';
import { pendingRegistration, promiseFirstPassword } from './register-by-mail.ts';
import { findAccount, type UserRow } from './store.ts';
import { findPendingRegistrations, finishTask, mostPending, type PromisedToken } from './token-store.ts';
import { addressLost, passwordChanged, verifiedUserCreated } from './user-events.ts';

/**
 * Verifies an address for who holds it. Where a registration waited for this, its account comes into being, with what
 * was given with this very token: what others gave for the same address is dropped.
 * @throws {Problem} `link_expired`; `identifier_taken` where the username was taken meanwhile
 */
export async function verifyEmail(deps: SessionDeps, proof: MailProof, call: Call): Promise<void> {
  const { db, now, revocation } = deps;
  const token = await findProof(deps, 'verify_email', proof);
  const data = await openTokenData(deps, token);
  const registration = data === undefined ? undefined : { ...pendingRegistration.parse(data), emailVerified: true };
  const entry = { result: 'success', sessionId: null, origin: call.origin } as const;
  if (token.user_id === null) {
    if (registration === undefined) throw linkExpired('no registration');
    const user = await newUser(deps, registration);
    const indexes = await blindIndexes(deps.keyring, 'email', registration.email.key);
    const audit = auditRow(deps, { type: 'user_registered', userId: user.id, ...entry });
    const events = await verifiedUserCreated(deps, user, registration.email.address);
    if (!(await redeemRegistration(db, token, indexes, user, now(), audit, events).catch(refuseLate)))
      throw linkExpired('used meanwhile');
    deliverAfter(deps, call, events);
    return;
  }
  const userId = token.user_id;
  // Whoever registered with this address before and did not verify it loses what they set.
  const set = registration === undefined ? {} : await userColumns(deps, userId, registration);
  const whereVerified = await eventRows(deps, 'UserVerified', userId, {});
  const promised = registration === undefined ? [] : await takenOver(deps, userId);
  const redemption = {
    set,
    promised,
    whereVerified,
    verifies: true,
    drops: [
      'verify_email',
      ...(registration === undefined ? [] : (['reset_password', 'change_email'] as const)),
    ] as const,
    audit: auditRow(deps, { type: 'email_verified', userId, ...entry }),
    ...(registration === undefined
      ? {}
      : {
          endsSessions: 'password_changed' as const,
          onlyUnverified: true,
          emailIndexes: await blindIndexes(deps.keyring, 'email', registration.email.key),
          whereEvicted: await addressLost(deps),
        }),
  };
  const redeemed = await redeemToken(db, { id: token.id, userId }, now(), redemption).catch(refuseLate);
  if (redeemed === undefined) throw linkExpired('used meanwhile');
  deliverAfter(deps, call, [...promised, ...whereVerified, ...(redemption.whereEvicted ?? []).flat()]);
  if (registration !== undefined) await revocation.revokeUser(userId, redeemed.ended, null);
}

/** The events of an account that never verified its address, and is somebody else's now. */
async function takenOver(deps: Deps, userId: string): Promise<OutboxRow[]> {
  const fields = ['name', 'surname', 'phone_number', 'locale', 'username'] as const;
  const rows = [
    passwordChanged(deps, userId, 'changed', { reason: 'password_changed' }),
    eventRows(deps, 'UserUpdated', userId, { fields: [...fields] }),
  ];
  return (await Promise.all(rows)).flat();
}

/** Where the address has gone to another account meanwhile, the token was for one that can no longer be. */
export function refuseLate(error: unknown): never {
  const problem = takenBy(error);
  if (problem?.details.errors?.[0]?.path === 'email') throw linkExpired('address taken meanwhile');
  throw problem ?? error;
}

const task = z.object({
  email: z.object({ address: z.string(), key: z.string() }),
  occasion,
  languages: z.string().optional(),
});

/** Asks for another mail to verify an address. Whether there is anything to verify shows nowhere in the answer. */
export async function resendVerification(deps: SessionDeps, email: EmailAddress, call: Call): Promise<void> {
  const { languages } = call;
  const row = await taskRow(deps, 'resend_verification', { email, occasion: occasionOf(deps, call), languages });
  await insertOutbox(deps.db, [row]);
  call.after(() => deps.relay.deliver([row]));
}

/**
 * Sends the mail again: to an account that has not verified its address, or to a registration that waits for it. Where
 * there are several of these, the one who asks cannot be told from those who typed the address of another: they get a
 * link to set a password instead, so that none of what was typed counts.
 */
export function resendVerificationTask(deps: Deps): Task {
  const { db, keyring } = deps;
  return async (payload, row) => {
    const { email, occasion: event, languages } = task.parse(payload);
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const account = await findAccount(db, { emailIndexes: indexes });
    const promised =
      account?.emailVerifiedAt != null || account?.status === 'disabled'
        ? undefined
        : await promiseAgain(deps, account, indexes, { event, languages });
    if (promised !== undefined) return (await finishTask(db, row.id, promised)) ? [promised.mail] : [];
    await deleteOutbox(db, row.id);
    return [];
  };
}

async function promiseAgain(
  deps: Deps,
  account: UserRow | undefined,
  indexes: readonly [string, ...string[]],
  asked: { readonly event: Occasion; readonly languages: string | undefined },
): Promise<PromisedToken | undefined> {
  const pending = await findPendingRegistrations(deps.db, indexes, deps.now());
  const registrations = await Promise.all(
    pending.map(async (token) => pendingRegistration.parse(await openTokenData(deps, token))),
  );
  const [data] = registrations;
  // The salt makes the hash of each registration another. Of more than are looked at, others may be among the rest.
  const isOne =
    account === undefined
      ? pending.length < mostPending && new Set(registrations.map(({ passwordHash }) => passwordHash)).size === 1
      : data === undefined;
  const to = account === undefined ? data?.email.address : (await openPersonalData(deps, account)).email;
  if (to === undefined || to === null) return undefined;
  if (!isOne && account === undefined && data !== undefined)
    return await promiseFirstPassword(deps, indexes[0], data, asked);
  return await promiseToken(deps, {
    userId: account?.id,
    emailIndex: account?.emailIndex ?? indexes[0],
    to,
    locale: chooseLocale(account === undefined ? data?.locale : account.locale, asked.languages),
    ...(isOne
      ? {
          purpose: 'verify_email',
          data,
          message: (secret) => ({ type: 'verify_email', data: { ...secret, ...asked.event } }),
        }
      : {
          purpose: 'reset_password',
          message: (secret) => ({ type: 'reset_password', data: { ...secret, ...asked.event } }),
        }),
  });
}
