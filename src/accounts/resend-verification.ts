import * as z from 'zod';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { taskRow } from '../outbox/outbox.ts';
import type { Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox, type OutboxRow } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { enqueueToHolder, enqueueToHolderInstead } from './holder-mail.ts';
import type { MailRequest } from './mail-schemas.ts';
import { type Asked, asked, askedOf, openTokenData } from './one-time-tokens.ts';
import { openPersonalData } from './profile.ts';
import { enqueueVerification } from './register.ts';
import {
  enqueueConfirmation,
  enqueueFirstPassword,
  type PendingRegistration,
  pendingRegistration,
} from './register-by-mail.ts';
import { findAccount, type UserRow } from './store.ts';
import { findPendingRegistrations, finishTask, maxPending, type TokenAndMail } from './token-store.ts';

const task = z.object({ email: z.object({ address: z.string(), key: z.string() }) }).and(asked);

/** Asks for another mail to verify an address. Whether there is anything to verify shows nowhere in the answer. */
export async function resendVerification(
  deps: SessionDeps,
  { email, redirect_to: redirectTo }: MailRequest,
  call: Call,
): Promise<void> {
  const row = await taskRow(deps, 'resend_verification', { email, ...askedOf(deps, call, redirectTo) });
  await insertOutbox(deps.db, [row]);
  call.after(() => deps.relay.deliver([row]));
}

/**
 * Sends the mail again: to an account that has not verified its address, or to a registration that waits for it. Where
 * there are several of these, the one who asks cannot be told from those who typed the address of another: they get a
 * link to choose a password instead, so that none of what was typed counts.
 */
export function resendVerificationTask(deps: Deps): Task {
  const { db, keyring } = deps;
  return async (payload, row) => {
    const { email, ...by } = task.parse(payload);
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const account = await findAccount(db, { emailIndexes: indexes });
    const pending = await openPending(deps, indexes);
    const enqueued =
      account === undefined
        ? await enqueueRegistrationAgain(deps, indexes[0], pending, by)
        : await enqueueToAccountAgain(deps, account, indexes[0], pending, by);
    if (enqueued !== undefined) return (await finishTask(db, row.id, enqueued)) ? [enqueued.mail] : [];
    await deleteOutbox(db, row.id);
    return [];
  };
}

async function openPending(deps: Deps, indexes: readonly string[]): Promise<PendingRegistration[]> {
  const tokens = await findPendingRegistrations(deps.db, indexes, deps.now());
  return await Promise.all(tokens.map(async (token) => pendingRegistration.parse(await openTokenData(deps, token))));
}

/** The salt makes the hash of each registration another. Of more than are looked at, others may be among the rest. */
const isOne = (pending: readonly PendingRegistration[]) =>
  pending.length < maxPending && new Set(pending.map(({ passwordHash }) => passwordHash)).size === 1;

async function enqueueRegistrationAgain(
  deps: Deps,
  emailIndex: string,
  pending: readonly PendingRegistration[],
  by: Asked,
): Promise<TokenAndMail | undefined> {
  const [registration] = pending;
  if (registration === undefined) return undefined;
  return isOne(pending)
    ? await enqueueConfirmation(deps, emailIndex, registration, by)
    : await enqueueFirstPassword(deps, emailIndex, registration, by);
}

/**
 * Where a registration waits for the address of an account, it goes on waiting as long as one of a free address would, and
 * the holder is told. An account without a password has no use for a mail that verifies and nothing else.
 */
async function enqueueToAccountAgain(
  deps: Deps,
  account: UserRow,
  emailIndex: string,
  pending: readonly PendingRegistration[],
  by: Asked,
): Promise<(Parameters<typeof finishTask>[2] & { readonly mail: OutboxRow }) | undefined> {
  const address = (await openPersonalData(deps, account)).email ?? undefined;
  if (address === undefined) return undefined;
  const [registration] = pending;
  if (registration !== undefined && isOne(pending)) {
    const again = await enqueueConfirmation(deps, emailIndex, registration, by);
    return await enqueueToHolderInstead(deps, account, address, by, again);
  }
  if (registration !== undefined) return await enqueueToHolder(deps, account, address, by);
  if (account.emailVerifiedAt !== null || account.status !== 'active') return undefined;
  return account.passwordHash === null
    ? await enqueueToHolder(deps, account, address, by)
    : await enqueueVerification(deps, account, address, by);
}
