import * as z from 'zod';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { taskRow } from '../outbox/outbox.ts';
import type { Task } from '../outbox/relay.ts';
import { deleteOutbox, insertOutbox, type OutboxRow } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { promiseToHolder } from './holder-mail.ts';
import type { MailRequest } from './mail-schemas.ts';
import { type Asked, asked, askedOf, openTokenData } from './one-time-tokens.ts';
import { openPersonalData } from './profile.ts';
import { promiseVerification } from './register.ts';
import {
  type PendingRegistration,
  pendingRegistration,
  promiseConfirmation,
  promiseFirstPassword,
} from './register-by-mail.ts';
import { findAccount, type UserRow } from './store.ts';
import {
  findPendingRegistrations,
  finishTask,
  mostPending,
  type OneTimeTokenRow,
  type PromisedToken,
} from './token-store.ts';

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
    const isDue = account === undefined || (account.emailVerifiedAt === null && account.status === 'active');
    const pending = isDue ? await openPending(deps, indexes) : [];
    const promised = !isDue
      ? undefined
      : account === undefined
        ? await promiseRegistrationAgain(deps, indexes[0], pending, by)
        : await promiseVerificationAgain(deps, account, pending.length > 0, by);
    if (promised !== undefined) return (await finishTask(db, row.id, promised)) ? [promised.mail] : [];
    await deleteOutbox(db, row.id);
    return [];
  };
}

async function openPending(deps: Deps, indexes: readonly string[]): Promise<PendingRegistration[]> {
  const tokens = await findPendingRegistrations(deps.db, indexes, deps.now());
  return await Promise.all(tokens.map(async (token) => pendingRegistration.parse(await openTokenData(deps, token))));
}

async function promiseRegistrationAgain(
  deps: Deps,
  emailIndex: string,
  pending: readonly PendingRegistration[],
  by: Asked,
): Promise<PromisedToken | undefined> {
  const [registration] = pending;
  if (registration === undefined) return undefined;
  // The salt makes the hash of each registration another. Of more than are looked at, others may be among the rest.
  const isOne = pending.length < mostPending && new Set(pending.map(({ passwordHash }) => passwordHash)).size === 1;
  return isOne
    ? await promiseConfirmation(deps, emailIndex, registration, by)
    : await promiseFirstPassword(deps, emailIndex, registration, by);
}

/** An account without a password has no use for a mail that verifies and nothing else. */
async function promiseVerificationAgain(
  deps: Deps,
  account: UserRow,
  hasPending: boolean,
  by: Asked,
): Promise<{ readonly mail: OutboxRow; readonly token?: OneTimeTokenRow } | undefined> {
  const address = (await openPersonalData(deps, account)).email ?? undefined;
  if (address === undefined) return undefined;
  return hasPending || account.passwordHash === null
    ? await promiseToHolder(deps, account, address, by)
    : await promiseVerification(deps, account, address, by);
}
