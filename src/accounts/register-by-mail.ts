import * as z from 'zod';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { taskRow } from '../outbox/outbox.ts';
import type { Task } from '../outbox/relay.ts';
import { insertOutbox } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { skeletonOf } from './confusables.ts';
import type { EmailAddress } from './email.ts';
import { enqueueToHolderInstead } from './holder-mail.ts';
import { type Asked, asked, askedOf, enqueueToken } from './one-time-tokens.ts';
import { refuseWeakPassword } from './password.ts';
import type { RegisterRequest } from './schemas.ts';
import { findAccount } from './store.ts';
import { taken } from './taken.ts';
import { finishTask, insertRegistrationTask, type TokenAndMail } from './token-store.ts';

const nullable = z.string().nullable();

/** A registration that waits for its address to be verified: everything but the address is worth nothing until then. */
export const pendingRegistration = z.object({
  email: z.object({ address: z.string(), key: z.string() }),
  username: z.object({ username: z.string(), key: z.string() }).nullable(),
  passwordHash: z.string(),
  name: nullable,
  surname: nullable,
  phoneNumber: nullable,
  locale: nullable,
});
export type PendingRegistration = z.output<typeof pendingRegistration>;

/** Of several that wait only the address counts: who holds it sets the rest. */
export const unverified = pendingRegistration.pick({ email: true, locale: true });

/** The mail to choose a password where no account is yet: the holder of the address makes one, with nothing that others gave. */
export async function enqueueFirstPassword(
  deps: Deps,
  emailIndex: string,
  { email, locale }: z.output<typeof unverified>,
  { event, languages, redirectTo }: Asked,
): Promise<TokenAndMail> {
  return await enqueueToken(deps, {
    purpose: 'reset_password',
    userId: undefined,
    emailIndex,
    to: email.address,
    locale: chooseLocale(locale, languages),
    data: { email, locale } satisfies z.input<typeof unverified>,
    message: (secret) => ({ type: 'finish_registration', data: { ...secret, ...event, redirect_to: redirectTo } }),
  });
}

const task = z.object({ registration: pendingRegistration }).and(asked);

/**
 * Takes a registration in, and answers the same whether the address is known or not: what follows is decided after the
 * answer. No account comes into being before its address is verified, so nobody can take one in another's name.
 * @throws {Problem} `identifier_taken` for the username, which is public; `validation_failed`
 */
export async function registerByMail(
  deps: SessionDeps,
  request: RegisterRequest & { readonly email: EmailAddress },
  call: Call,
): Promise<void> {
  const { db, hasher, relay } = deps;
  const owner = { emailKey: request.email.key, usernameKey: request.username?.key };
  await refuseWeakPassword(deps, 'password', request.password, owner);
  const registration: PendingRegistration = {
    email: request.email,
    username: request.username ?? null,
    passwordHash: await hasher.hash(request.password, call.signal),
    name: request.name ?? null,
    surname: request.surname ?? null,
    phoneNumber: request.phone_number ?? null,
    locale: request.locale ?? null,
  };
  const row = await taskRow(deps, 'registration', {
    registration,
    ...askedOf(deps, call, request.redirect_to),
  } satisfies z.input<typeof task>);
  if (request.username === undefined) await insertOutbox(db, [row]);
  else if (!(await insertRegistrationTask(db, row, skeletonOf(request.username.key)))) throw taken('username');
  call.after(() => relay.deliver([row]));
}

/**
 * What follows a registration: a mail to confirm it. Where an account has the address already, nothing that was typed
 * here counts, and its holder gets another mail (`enqueueToHolderInstead`).
 */
export function registrationTask(deps: Deps): Task {
  const { db, keyring } = deps;
  return async (payload, row) => {
    const { registration, ...by } = task.parse(payload);
    const { email } = registration;
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const account = await findAccount(db, { emailIndexes: indexes });
    const confirmation = await enqueueConfirmation(deps, indexes[0], registration, by);
    const enqueued =
      account === undefined
        ? confirmation
        : await enqueueToHolderInstead(deps, account, email.address, by, confirmation);
    return (await finishTask(db, row.id, enqueued)) ? [enqueued.mail] : [];
  };
}

/** The mail that makes an account of a registration, and says so: with the password that was typed at that time. */
export async function enqueueConfirmation(
  deps: Deps,
  emailIndex: string,
  registration: PendingRegistration,
  { event, languages, redirectTo }: Asked,
): Promise<TokenAndMail> {
  return await enqueueToken(deps, {
    purpose: 'verify_email',
    userId: undefined,
    emailIndex,
    to: registration.email.address,
    locale: chooseLocale(registration.locale, languages),
    data: registration,
    message: (secret) => ({ type: 'confirm_registration', data: { ...secret, ...event, redirect_to: redirectTo } }),
  });
}
