import * as z from 'zod';
import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { seal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { eventRows } from '../events/promise.ts';
import { mailRow, taskRow } from '../outbox/outbox.ts';
import { deliverAfter, type Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox } from '../outbox/store.ts';
import type { Caller } from '../sessions/authenticate.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { type EmailAddress, maskEmail, normaliseEmail } from './email.ts';
import {
  findProof,
  linkExpired,
  type MailProof,
  occasion,
  occasionOf,
  openTokenData,
  promiseToken,
} from './one-time-tokens.ts';
import { openPersonalData } from './profile.ts';
import { redeemToken } from './redemption-store.ts';
import { refuseTaken } from './register.ts';
import { findAccount, readUser, type UserRow } from './store.ts';
import { finishTask } from './token-store.ts';
import { addressLost, emailChanged, passwordChanged } from './user-events.ts';

const emailAddress = z.object({ address: z.string(), key: z.string() });
const whose = { userId: z.uuid(), sessionId: z.uuid() };
const task = z.object({ ...whose, email: emailAddress, occasion, languages: z.string().optional() });
/** What the tokens carry: the address that the account is to have; and the session that asked for a new one. */
const tokenData = z.object({ address: z.string() });
const changeData = tokenData.extend({ sessionId: z.uuid() });

/** Asks to change the address of an account. Whether somebody else has it shows nowhere in the answer. */
export async function changeEmail(
  deps: SessionDeps,
  { userId, sessionId }: Pick<Caller, 'userId' | 'sessionId'>,
  email: EmailAddress,
  call: Call,
): Promise<void> {
  const { languages } = call;
  const row = await taskRow(deps, 'change_email', {
    userId,
    sessionId,
    email,
    occasion: occasionOf(deps, call),
    languages,
  });
  await insertOutbox(deps.db, [row]);
  call.after(() => deps.relay.deliver([row]));
}

/** Sends a mail to the new address: to confirm it, or, where it belongs to an account, to say that somebody tried. */
export function changeEmailTask(deps: Deps): Task {
  const { db, keyring } = deps;
  return async (payload, row) => {
    const { userId, sessionId, email, occasion: event, languages } = task.parse(payload);
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const [user, holder] = await Promise.all([readUser(db, userId), findAccount(db, { emailIndexes: indexes })]);
    const isVerified = holder !== undefined && holder.emailVerifiedAt !== null;
    if (user === undefined || user.status !== 'active' || (isVerified && holder.id === userId)) {
      await deleteOutbox(db, row.id);
      return [];
    }
    if (isVerified) {
      const to = (await openPersonalData(deps, holder)).email ?? email.address;
      const message = { type: 'already_registered', data: event } as const;
      const mail = await mailRow(deps, { to, locale: chooseLocale(holder.locale, languages), message }, holder.id);
      return (await finishTask(db, row.id, { mail })) ? [mail] : [];
    }
    const promised = await promiseToken(deps, {
      purpose: 'change_email',
      userId,
      emailIndex: indexes[0],
      to: email.address,
      locale: chooseLocale(user.locale, languages),
      data: { address: email.address, sessionId } satisfies z.input<typeof changeData>,
      message: (secret) => ({ type: 'confirm_email_change', data: { ...secret, ...event } }),
    });
    const origin = { address: undefined, userAgent: undefined };
    const entry = { type: 'email_change_requested', result: 'success', userId, sessionId: null, origin } as const;
    const audit = { ...auditRow(deps, entry), address: event.address };
    return (await finishTask(db, row.id, promised, audit)) ? [promised.mail] : [];
  };
}

/** The address that a token carries, as columns of its user. */
async function newAddress(deps: Deps, userId: string, address: string) {
  const emailIndexes = await blindIndexes(deps.keyring, 'email', normaliseEmail(address)?.key ?? address);
  const emailSealed = await seal(deps.keyring, `users.email:${userId}`, address);
  return { emailIndexes, set: { emailIndex: emailIndexes[0], emailSealed, emailVerifiedAt: new Date(deps.now()) } };
}

async function readAccount(deps: Deps, userId: string | null): Promise<UserRow> {
  const user = userId === null ? undefined : await readUser(deps.db, userId);
  if (user === undefined || user.status !== 'active') throw linkExpired('no such user');
  return user;
}

/**
 * Changes the address of an account to one whose holder has confirmed it. The old one gets a notice, with a link that
 * takes the change back for seven days. A change is void where something has ended all sessions since it was asked for.
 * @throws {Problem} `link_expired`; `identifier_taken` where another account has verified the address meanwhile
 */
export async function confirmEmailChange(deps: SessionDeps, proof: MailProof, call: Call): Promise<void> {
  const { db, now } = deps;
  const token = await findProof(deps, 'change_email', proof);
  const user = await readAccount(deps, token.user_id);
  const userId = user.id;
  const { address, sessionId: askedBy } = changeData.parse(await openTokenData(deps, token));
  const { email: old } = await openPersonalData(deps, user);
  const event = { ...occasionOf(deps, call), email: maskEmail(address) };
  const undo =
    old === null || user.emailIndex === null
      ? undefined
      : await promiseToken(deps, {
          purpose: 'undo_email_change',
          userId,
          emailIndex: user.emailIndex,
          to: old,
          locale: chooseLocale(user.locale, call.languages),
          data: { address: old } satisfies z.input<typeof tokenData>,
          message: ({ token: undoToken }) => ({ type: 'email_changed', data: { ...event, token: undoToken } }),
        });
  const promised = [...(undo === undefined ? [] : [undo.mail]), ...(await emailChanged(deps, userId, address))];
  const whereEvicted = await addressLost(deps);
  const whereVerified = await eventRows(deps, 'UserVerified', userId, {});
  const redemption = {
    ...(await newAddress(deps, userId, address)),
    promised,
    whereVerified,
    whereEvicted,
    askedBy,
    verifies: false,
    from: user.emailIndex,
    drops: ['change_email', 'verify_email', 'reset_password'] as const,
    audit: auditRow(deps, { type: 'email_changed', result: 'success', userId, sessionId: null, origin: call.origin }),
    ...(undo === undefined ? {} : { token: undo.token }),
  };
  const redeemed = await redeemToken(db, { id: token.id, userId }, now(), redemption).catch(refuseTaken);
  if (redeemed === undefined) throw linkExpired('used or changed meanwhile');
  deliverAfter(deps, call, [...promised, ...whereVerified, ...whereEvicted.flat()]);
}

/**
 * Takes a change of address back, for who holds the old one. Somebody else may have made it, and may know the password:
 * so that stops to work, every session ends, and a mail to set a new one follows.
 * @throws {Problem} `link_expired`; `identifier_taken` where another account has verified the old address meanwhile
 */
export async function undoEmailChange(deps: SessionDeps, token: string, call: Call): Promise<void> {
  const { db, now, revocation } = deps;
  const found = await findProof(deps, 'undo_email_change', { token });
  const user = await readAccount(deps, found.user_id);
  const userId = user.id;
  const { address } = tokenData.parse(await openTokenData(deps, found));
  const changed = await newAddress(deps, userId, address);
  const event = occasionOf(deps, call);
  const reset = await promiseToken(deps, {
    purpose: 'reset_password',
    userId,
    emailIndex: changed.set.emailIndex,
    to: address,
    locale: chooseLocale(user.locale, call.languages),
    message: (secret) => ({ type: 'reset_password', data: { ...secret, ...event } }),
  });
  const entry = {
    type: 'email_change_undone',
    result: 'success',
    userId,
    sessionId: null,
    origin: call.origin,
  } as const;
  const promised = [
    reset.mail,
    ...(await emailChanged(deps, userId, address)),
    ...(await passwordChanged(deps, userId, 'removed', { reason: 'email_changed' })),
  ];
  const whereEvicted = await addressLost(deps);
  const redemption = {
    ...changed,
    set: { ...changed.set, passwordHash: null },
    verifies: false,
    endsSessions: 'email_changed',
    drops: ['undo_email_change', 'change_email', 'verify_email', 'reset_password'],
    token: reset.token,
    promised,
    whereEvicted,
    audit: auditRow(deps, entry),
  } as const;
  const redeemed = await redeemToken(db, { id: found.id, userId }, now(), redemption).catch(refuseTaken);
  if (redeemed === undefined) throw linkExpired('used meanwhile');
  deliverAfter(deps, call, [...promised, ...whereEvicted.flat()]);
  await revocation.revokeUser(userId, redeemed.ended, null);
}
