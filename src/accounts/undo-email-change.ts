import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { deliverAfter } from '../outbox/relay.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { newAddress, readAccount, tokenData } from './change-email.ts';
import { enqueueToken, findProof, linkExpired, occasionOf, openTokenData } from './one-time-tokens.ts';
import { type Eviction, redeemToken } from './redemption-store.ts';
import { refuseTaken } from './taken.ts';
import { allSessionsRevoked, emailChanged, passwordChanged } from './user-events.ts';

/**
 * Takes a change of address back, for whoever holds the old one. Somebody else may have made it, and may know the password:
 * so the password stops working, every session ends, and a mail to choose a new one follows.
 * @throws {Problem} `link_expired`; `identifier_taken` where another account has the old address by now: unless somebody
 * registered it without verifying it (`redemption-store.ts`)
 */
export async function undoEmailChange(deps: SessionDeps, token: string, call: Call): Promise<void> {
  const { db, now, revocation } = deps;
  const found = await findProof(deps, 'undo_email_change', { token });
  const user = await readAccount(deps, found.user_id);
  const userId = user.id;
  const { address } = tokenData.parse(await openTokenData(deps, found));
  const changed = await newAddress(deps, userId, address);
  const event = occasionOf(deps, call);
  const reset = await enqueueToken(deps, {
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
  const enqueued = [
    reset.mail,
    ...(await emailChanged(deps, userId, address)),
    ...(await passwordChanged(deps, userId, 'removed', { reason: 'email_changed' })),
  ];
  const evictions = await addressLost(deps);
  const redemption = {
    ...changed,
    set: { ...changed.set, passwordHash: null },
    verifies: false,
    endsSessions: 'email_changed',
    drops: ['undo_email_change', 'change_email', 'verify_email', 'reset_password'],
    token: reset.token,
    enqueued,
    evictions,
    audit: auditRow(deps, entry),
  } as const;
  const redeemed = await redeemToken(db, { id: found.id, userId }, now(), redemption).catch(refuseTaken);
  if (redeemed === undefined) throw linkExpired('used meanwhile');
  deliverAfter(deps, call, [...enqueued, ...evictions.flatMap(({ events }) => events)]);
  await revocation.revokeUser(userId, redeemed.ended, null);
  await Promise.all(redeemed.evicted.map((id) => revocation.revokeUser(id, [], null)));
}

/** What is left for accounts that lose an address: as many as there are secrets, while they change. */
async function addressLost(deps: Deps): Promise<Eviction[]> {
  const origin = { address: undefined, userAgent: undefined };
  const entry = { type: 'email_lost', result: 'success', userId: null, sessionId: null, origin } as const;
  return await Promise.all(
    deps.keyring.all.map(async () => ({
      events: [
        ...(await emailChanged(deps, undefined, null)),
        ...(await allSessionsRevoked(deps, undefined, 'email_changed')),
      ],
      audit: auditRow(deps, entry),
    })),
  );
}
