import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { mailRow } from '../outbox/outbox.ts';
import type { OutboxRow } from '../outbox/store.ts';
import { occasionOf } from './one-time-tokens.ts';

/** The mail that tells a user what happened to the account; none where there is no address. */
export async function noticeTo(
  deps: Deps,
  type: 'password_changed' | 'account_deleted',
  user: { readonly id: string; readonly locale: string | null; readonly email: string | null },
  call: Pick<Call, 'origin' | 'languages'>,
): Promise<OutboxRow[]> {
  if (user.email === null) return [];
  const message = { type, data: occasionOf(deps, call) };
  // The last mail to somebody has to outlive them here, and says nothing of who they were.
  const about = type === 'account_deleted' ? undefined : user.id;
  return [await mailRow(deps, { to: user.email, locale: chooseLocale(user.locale, call.languages), message }, about)];
}
