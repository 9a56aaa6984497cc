import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { mailRow } from '../outbox/outbox.ts';
import { type OutboxRow, waitingFor } from '../outbox/store.ts';
import { type Asked, enqueueToken } from './one-time-tokens.ts';
import { openPersonalData } from './profile.ts';
import type { UserRow } from './store.ts';
import type { OneTimeTokenRow, TokenAndMail } from './token-store.ts';

/**
 * The mail for an address that an account has already, where somebody else typed it: to register, or for an account of
 * theirs. The account stays as it is, whatever they typed. Its holder is told; where the address was never verified, the
 * mail lets them choose a password, which proves the address and leaves nobody else a way in.
 * @param address as it was typed
 */
export async function enqueueToHolder(
  deps: Deps,
  account: UserRow,
  address: string,
  { event, languages, redirectTo }: Asked,
): Promise<{ readonly mail: OutboxRow; readonly token?: OneTimeTokenRow }> {
  const { id: userId, emailIndex } = account;
  const to = (await openPersonalData(deps, account)).email ?? address;
  const locale = chooseLocale(account.locale, languages);
  if (account.emailVerifiedAt !== null || account.status !== 'active' || emailIndex === null) {
    const message = { type: 'already_registered', data: event } as const;
    return { mail: await mailRow(deps, { to, locale, message }, userId) };
  }
  return await enqueueToken(deps, {
    purpose: 'reset_password',
    userId,
    emailIndex,
    to,
    locale,
    message: (secret) => ({ type: 'unconfirmed_account', data: { ...secret, ...event, redirect_to: redirectTo } }),
  });
}

/**
 * The same, and what a free address would have got: a token that nobody can confirm, since no mail holds it. So whoever
 * typed the address, and looks at what waits for them, sees no difference, for as long as it waits. Its hash names the
 * mail that goes out instead: both begin their time anew with each attempt to send it (`claimOutbox`).
 * @param free what a free address gets
 */
export async function enqueueToHolderInstead(
  deps: Deps,
  account: UserRow,
  address: string,
  by: Asked,
  free: TokenAndMail,
): Promise<{ readonly mail: OutboxRow; readonly token?: OneTimeTokenRow; readonly waits: OneTimeTokenRow }> {
  const told = await enqueueToHolder(deps, account, address, by);
  return {
    ...told,
    waits: { ...free.token, tokenHash: waitingFor(told.mail.id), codeHash: null, codeExpiresAt: null },
  };
}
