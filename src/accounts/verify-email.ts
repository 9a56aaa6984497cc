import * as z from 'zod';
import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { taskRow } from '../outbox/outbox.ts';
import type { Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { EmailAddress } from './email.ts';
import { newUser, userColumns } from './new-user.ts';
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
import { redeemRegistration, redeemToken } from './redemption-store.ts';
import { refuseTaken } from './register.ts';
import { pendingRegistration } from './register-by-mail.ts';
import { findAccount } from './store.ts';
import { findPendingRegistration, finishTask } from './token-store.ts';

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
    const audit = auditRow(deps, { type: 'user_registered', userId: user.id, ...entry });
    if (!(await refuseTaken(redeemRegistration(db, token, user, now(), audit)))) throw linkExpired('used meanwhile');
    return;
  }
  const userId = token.user_id;
  // Whoever registered with this address before and did not verify it loses what they set.
  const set = registration === undefined ? {} : await userColumns(deps, userId, registration);
  const redemption = {
    set,
    verifies: true,
    drops: [
      'verify_email',
      ...(registration === undefined ? [] : (['reset_password', 'change_email'] as const)),
    ] as const,
    audit: auditRow(deps, { type: 'email_verified', userId, ...entry }),
    ...(registration === undefined ? {} : { endsSessions: 'password_changed' as const }),
  };
  const redeemed = await refuseTaken(redeemToken(db, { id: token.id, userId }, now(), redemption));
  if (redeemed === undefined) throw linkExpired('used meanwhile');
  if (registration !== undefined) await revocation.revokeUser(userId, redeemed.ended, null);
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

/** Sends the mail again: to an account that has not verified its address, or to a registration that waits for it. */
export function resendVerificationTask(deps: Deps): Task {
  const { db, keyring, now } = deps;
  return async (payload, row) => {
    const { email, occasion: event, languages } = task.parse(payload);
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const account = await findAccount(db, { emailIndexes: indexes });
    const pending = account === undefined ? await findPendingRegistration(db, indexes, now()) : undefined;
    const data = pending && pendingRegistration.parse(await openTokenData(deps, pending));
    const stored = account === undefined ? data?.email.address : (await openPersonalData(deps, account)).email;
    const isVerified = account !== undefined && account.emailVerifiedAt !== null;
    if (stored === undefined || stored === null || isVerified || account?.status === 'disabled') {
      await deleteOutbox(db, row.id);
      return [];
    }
    const promised = await promiseToken(deps, {
      purpose: 'verify_email',
      userId: account?.id,
      emailIndex: account?.emailIndex ?? indexes[0],
      to: stored,
      locale: chooseLocale(account?.locale ?? data?.locale, languages),
      data,
      message: (secret) => ({ type: 'verify_email', data: { ...secret, ...event } }),
    });
    return (await finishTask(db, row.id, promised)) ? [promised.mail] : [];
  };
}
