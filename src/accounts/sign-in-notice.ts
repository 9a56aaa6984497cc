import { keptOrigin } from '../audit/audit.ts';
import { userAgentInWords } from '../audit/user-agent.ts';
import type { Call } from '../call.ts';
import { chooseLocale } from '../email/locale.ts';
import { mailRow } from '../outbox/outbox.ts';
import type { OutboxRow } from '../outbox/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { User } from './schemas.ts';
import type { UserRow } from './store.ts';

/** Tells the owner of a sign-in from a device that is not known. Undefined where there is no address to tell. */
export async function newSignInMail(
  deps: SessionDeps,
  { id, locale }: UserRow,
  { email }: User,
  { origin, languages }: Call,
): Promise<OutboxRow | undefined> {
  if (email === null) return undefined;
  const { address, userAgent } = keptOrigin(origin);
  const data = { at: deps.now(), address, device: userAgentInWords(userAgent) };
  const mail = { to: email, locale: chooseLocale(locale, languages), message: { type: 'new_sign_in', data } } as const;
  return await mailRow(deps, mail, id);
}
