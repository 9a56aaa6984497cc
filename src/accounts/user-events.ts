import type { EventData } from '../events/catalogue.ts';
import { type EventDeps, eventRows, personal } from '../events/event-rows.ts';
import type { OutboxRow } from '../outbox/store.ts';
import type { UserRow } from './store.ts';

/** The event of a new account. @param email in clear, as its row does not hold it */
export function userCreated(
  deps: EventDeps,
  user: Pick<UserRow, 'id' | 'username' | 'emailVerifiedAt' | 'roles'>,
  email: string | null,
  origin: EventData<'UserCreated'>['origin'],
): Promise<OutboxRow[]> {
  return eventRows(deps, 'UserCreated', user.id, {
    email: personal(deps, email),
    username: personal(deps, user.username),
    email_verified: user.emailVerifiedAt !== null,
    roles: user.roles,
    origin,
  });
}

/** The events of an account that another system had. */
export async function userImported(deps: EventDeps, user: UserRow, email: string | null): Promise<OutboxRow[]> {
  const rows = [
    userCreated(deps, user, email, 'import'),
    user.status === 'active'
      ? []
      : eventRows(deps, 'UserUpdated', user.id, { fields: ['status'], status: user.status }),
  ];
  return (await Promise.all(rows)).flat();
}

/** The events of an account that comes into being with the proof of its address. */
export async function verifiedUserCreated(deps: EventDeps, user: UserRow, email: string): Promise<OutboxRow[]> {
  const rows = [userCreated(deps, user, email, 'registration'), eventRows(deps, 'UserVerified', user.id, {})];
  return (await Promise.all(rows)).flat();
}

/** The events of a password that is another now, or none, and of the sessions that ended with it. */
export async function passwordChanged(
  deps: EventDeps,
  userId: string,
  reason: EventData<'PasswordChanged'>['reason'],
  ended: { readonly reason: EventData<'SessionRevoked'>['reason']; readonly except?: string },
): Promise<OutboxRow[]> {
  const rows = [
    eventRows(deps, 'PasswordChanged', userId, { reason }),
    allSessionsRevoked(deps, userId, ended.reason, ended.except),
  ];
  return (await Promise.all(rows)).flat();
}

/** The event of the end of all sessions of a user, but for one where that is given. */
export function allSessionsRevoked(
  deps: EventDeps,
  userId: string | undefined,
  reason: EventData<'SessionRevoked'>['reason'],
  except?: string,
): Promise<OutboxRow[]> {
  return eventRows(deps, 'SessionRevoked', userId, {
    session_ids: null,
    except_session_id: except ?? null,
    reason,
  });
}

/** The event of an address that is another now. */
export function emailChanged(deps: EventDeps, userId: string | undefined, email: string | null): Promise<OutboxRow[]> {
  return eventRows(deps, 'EmailChanged', userId, { email: personal(deps, email), email_verified: email !== null });
}
