import * as z from 'zod';
import { auditRow } from '../audit/audit.ts';
import type { Call, Caller } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { seal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { eventRows } from '../events/event-rows.ts';
import { taskRow } from '../outbox/outbox.ts';
import { deliverAfter, type Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { maskEmail, normaliseEmail } from './email.ts';
import { enqueueToHolderInstead } from './holder-mail.ts';
import type { MailRequest } from './mail-schemas.ts';
import {
  asked,
  askedOf,
  enqueueToken,
  findProof,
  linkExpired,
  type MailProof,
  occasionOf,
  openTokenData,
} from './one-time-tokens.ts';
import { openPersonalData } from './profile.ts';
import { redeemToken } from './redemption-store.ts';
import { findAccount, readUser, type UserRow } from './store.ts';
import { refuseTaken } from './taken.ts';
import { finishTask } from './token-store.ts';
import { emailChanged } from './user-events.ts';

const emailAddress = z.object({ address: z.string(), key: z.string() });
const whose = { userId: z.uuid(), sessionId: z.uuid() };
const task = z.object({ ...whose, email: emailAddress }).and(asked);
/** What the tokens carry: the address that the account is to have; and the session that asked for a new one. */
export const tokenData = z.object({ address: z.string() });
const changeData = tokenData.extend({ sessionId: z.uuid() });

/** Asks to change the address of an account. Whether somebody else has it shows nowhere in the answer. */
export async function changeEmail(
  deps: SessionDeps,
  { userId, sessionId }: Pick<Caller, 'userId' | 'sessionId'>,
  { email, redirect_to: redirectTo }: MailRequest,
  call: Call,
): Promise<void> {
  const row = await taskRow(deps, 'change_email', { userId, sessionId, email, ...askedOf(deps, call, redirectTo) });
  await insertOutbox(deps.db, [row]);
  call.after(() => deps.relay.deliver([row]));
}

/**
 * Sends a mail to the new address: to confirm it, or, where another account has it, verified or not, to tell its holder
 * (`enqueueToHolderInstead`). Whoever asked sees the same of either, also in their activity and their export. No account
 * loses its address to a change.
 */
export function changeEmailTask(deps: Deps): Task {
  const { db, keyring } = deps;
  return async (payload, row) => {
    const { userId, sessionId, email, ...by } = task.parse(payload);
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const [user, holder] = await Promise.all([readUser(db, userId), findAccount(db, { emailIndexes: indexes })]);
    const isOwn = holder?.id === userId;
    if (user === undefined || user.status !== 'active' || (isOwn && holder.emailVerifiedAt !== null)) {
      await deleteOutbox(db, row.id);
      return [];
    }
    const confirmation = await enqueueToken(deps, {
      purpose: 'change_email',
      userId,
      emailIndex: indexes[0],
      to: email.address,
      locale: chooseLocale(user.locale, by.languages),
      data: { address: email.address, sessionId } satisfies z.input<typeof changeData>,
      message: (secret) => ({
        type: 'confirm_email_change',
        data: { ...secret, ...by.event, redirect_to: by.redirectTo },
      }),
    });
    const enqueued =
      holder === undefined || isOwn
        ? confirmation
        : await enqueueToHolderInstead(deps, holder, email.address, by, confirmation);
    const origin = { address: undefined, userAgent: undefined };
    const entry = { type: 'email_change_requested', result: 'success', userId, sessionId: null, origin } as const;
    const audit = { ...auditRow(deps, entry), address: by.event.address };
    return (await finishTask(db, row.id, enqueued, audit)) ? [enqueued.mail] : [];
  };
}

/** The address that a token carries, as columns of its user. */
export async function newAddress(deps: Deps, userId: string, address: string) {
  const emailIndexes = await blindIndexes(deps.keyring, 'email', normaliseEmail(address)?.key ?? address);
  const emailSealed = await seal(deps.keyring, `users.email:${userId}`, address);
  return { emailIndexes, set: { emailIndex: emailIndexes[0], emailSealed, emailVerifiedAt: new Date(deps.now()) } };
}

export async function readAccount(deps: Deps, userId: string | null): Promise<UserRow> {
  const user = userId === null ? undefined : await readUser(deps.db, userId);
  if (user === undefined || user.status !== 'active') throw linkExpired('no such user');
  return user;
}

/**
 * Changes the address of an account to one whose holder has confirmed it. The old one gets a notice, with a link that
 * takes the change back for seven days. A change is void where something has ended all sessions since it was asked for.
 * @throws {Problem} `link_expired`; `identifier_taken` where another account has the address by now, verified or not
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
      : await enqueueToken(deps, {
          purpose: 'undo_email_change',
          userId,
          emailIndex: user.emailIndex,
          to: old,
          locale: chooseLocale(user.locale, call.languages),
          data: { address: old } satisfies z.input<typeof tokenData>,
          message: ({ token: undoToken }) => ({ type: 'email_changed', data: { ...event, token: undoToken } }),
        });
  const enqueued = [...(undo === undefined ? [] : [undo.mail]), ...(await emailChanged(deps, userId, address))];
  const whereVerified = await eventRows(deps, 'UserVerified', userId, {});
  const redemption = {
    ...(await newAddress(deps, userId, address)),
    enqueued,
    whereVerified,
    askedBy,
    verifies: false,
    from: user.emailIndex,
    drops: ['change_email', 'verify_email', 'reset_password'] as const,
    audit: auditRow(deps, { type: 'email_changed', result: 'success', userId, sessionId: null, origin: call.origin }),
    ...(undo === undefined ? {} : { token: undo.token }),
  };
  const redeemed = await redeemToken(db, { id: token.id, userId }, now(), redemption).catch(refuseTaken);
  if (redeemed === undefined) throw linkExpired('used or changed meanwhile');
  deliverAfter(deps, call, [...enqueued, ...whereVerified]);
}
