import * as z from 'zod';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { mailRow, taskRow } from '../outbox/outbox.ts';
import type { Task } from '../outbox/relay.ts';
import { insertOutbox } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { EmailAddress } from './email.ts';
import { type Occasion, occasion, occasionOf, promiseToken } from './one-time-tokens.ts';
import { refuseWeakPassword } from './password.ts';
import { openPersonalData } from './profile.ts';
import { taken } from './register.ts';
import type { RegisterRequest } from './schemas.ts';
import { findAccount } from './store.ts';
import { finishTask, insertRegistrationTask, type PromisedToken } from './token-store.ts';

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

/** The mail to set a password where no account is yet: who holds the address makes one, with nothing that others gave. */
export async function promiseFirstPassword(
  deps: Deps,
  emailIndex: string,
  { email, locale }: z.output<typeof unverified>,
  asked: { readonly event: Occasion; readonly languages: string | undefined },
): Promise<PromisedToken> {
  return await promiseToken(deps, {
    purpose: 'reset_password',
    userId: undefined,
    emailIndex,
    to: email.address,
    locale: chooseLocale(locale, asked.languages),
    data: { email, locale } satisfies z.input<typeof unverified>,
    message: (secret) => ({ type: 'reset_password', data: { ...secret, ...asked.event } }),
  });
}

const task = z.object({ registration: pendingRegistration, occasion, languages: z.string().optional() });

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
    occasion: occasionOf(deps, call),
    languages: call.languages,
  } satisfies z.input<typeof task>);
  if (request.username === undefined) await insertOutbox(db, [row]);
  else if (!(await insertRegistrationTask(db, row, request.username.key))) throw taken('username');
  call.after(() => relay.deliver([row]));
}

/** What follows a registration: a mail to verify the address, or one that says that there is an account already. */
export function registrationTask(deps: Deps): Task {
  const { db, keyring } = deps;
  return async (payload, row) => {
    const { registration, occasion: event, languages } = task.parse(payload);
    const { email } = registration;
    const indexes = await blindIndexes(keyring, 'email', email.key);
    const account = await findAccount(db, { emailIndexes: indexes });
    if (account !== undefined && account.emailVerifiedAt !== null) {
      const { email: address } = await openPersonalData(deps, account);
      const locale = chooseLocale(account.locale, languages);
      const message = { type: 'already_registered', data: event } as const;
      const mail = await mailRow(deps, { to: address ?? email.address, locale, message }, account.id);
      return (await finishTask(db, row.id, { mail })) ? [mail] : [];
    }
    const promised = await promiseToken(deps, {
      purpose: 'verify_email',
      userId: account?.id,
      emailIndex: account?.emailIndex ?? indexes[0],
      to: email.address,
      locale: chooseLocale(registration.locale, languages),
      data: registration,
      message: (secret) => ({ type: 'verify_email', data: { ...secret, ...event } }),
    });
    return (await finishTask(db, row.id, promised)) ? [promised.mail] : [];
  };
}
