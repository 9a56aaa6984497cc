import { forgetUser } from '../accounts/delete-account.ts';
import { enqueueToken } from '../accounts/one-time-tokens.ts';
import { openPersonalData } from '../accounts/profile.ts';
import { readUser, type UserRow } from '../accounts/store.ts';
import { allSessionsRevoked, passwordChanged } from '../accounts/user-events.ts';
import { type AuditEntry, type AuditRow, auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/event-rows.ts';
import { mailRow } from '../outbox/outbox.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { adminRole } from '../roles/permissions.ts';
import { outOfReach } from '../roles/store.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { type Change, changeUser, type Outcome } from './change-store.ts';

/** Who does what to whom. */
export interface Action {
  readonly userId: string;
  /** The admin. */
  readonly actor: { readonly userId: string; readonly sessionId: string };
  readonly call: Call;
}

export const noSuchUser = () => new Problem('not_found', { reason: 'no such user' });

export function actionAudit(deps: Deps, type: AuditEntry['type'], { userId, actor, call }: Action): AuditRow {
  const by = { actorId: actor.userId, sessionId: actor.sessionId, origin: call.origin };
  return auditRow(deps, { type, result: 'success', userId, ...by });
}

/** What was enqueued is delivered after the answer. @throws {Problem} what kept the user from being changed */
async function change(deps: SessionDeps, { userId, call }: Action, wanted: Change): Promise<Outcome> {
  const outcome = await changeUser(deps.db, userId, deps.now(), wanted);
  if (outcome.changed) {
    const { enqueued, events } = wanted;
    deliverAfter(deps, call, [...(enqueued === undefined ? [] : [enqueued.mail]), ...events]);
    return outcome;
  }
  if (!outcome.found) throw noSuchUser();
  if (outcome.out_of_reach) throw outOfReach();
  if (outcome.unknown_roles.length > 0) {
    const message = `Unknown role: ${outcome.unknown_roles.join(', ')}`;
    throw new Problem('validation_failed', { errors: [{ path: 'roles', message }] });
  }
  throw new Problem(outcome.last_admin ? 'last_admin' : 'precondition_failed');
}

/**
 * Gives a user these roles and no others. Access tokens from before are refused from now on; the sessions go on, and
 * their next refresh tells the new roles.
 * @throws {Problem} `not_found`, `last_admin`; `validation_failed` for a role that there is not
 */
export async function setRoles(deps: SessionDeps, action: Action, roles: readonly string[]): Promise<void> {
  const changedAt = deps.now();
  await change(deps, action, {
    set: { roles: [...roles], rolesChangedAt: new Date(changedAt) },
    admins: !roles.includes(adminRole),
    events: await eventRows(deps, 'RoleChanged', action.userId, { roles: [...roles] }),
    audit: actionAudit(deps, 'roles_changed', action),
  });
  await deps.revocation.revokeRoles(action.userId, changedAt);
}

/** Disables a user: all sessions end at once, and none can start. @throws {Problem} `not_found`, `last_admin` */
export async function disableUser(deps: SessionDeps, action: Action): Promise<number> {
  return await end(deps, action, {
    set: { status: 'disabled' },
    admins: true,
    endsSessions: 'user_disabled',
    events: [
      ...(await statusChanged(deps, action.userId, 'disabled')),
      ...(await allSessionsRevoked(deps, action.userId, 'user_disabled')),
    ],
    audit: actionAudit(deps, 'user_disabled', action),
  });
}

/** Lets a disabled user sign in again; the sessions stay ended. @throws {Problem} `not_found` */
export async function enableUser(deps: SessionDeps, action: Action): Promise<void> {
  const audit = actionAudit(deps, 'user_enabled', action);
  const events = await statusChanged(deps, action.userId, 'active');
  await change(deps, action, { set: { status: 'active' }, admins: false, events, audit });
}

const statusChanged = (deps: Deps, userId: string, status: UserRow['status']) =>
  eventRows(deps, 'UserUpdated', userId, { fields: ['status'], status });

/** Ends all sessions of a user. @returns how many @throws {Problem} `not_found` */
export async function revokeSessions(deps: SessionDeps, action: Action): Promise<number> {
  const audit = actionAudit(deps, 'sessions_revoked', action);
  const events = await allSessionsRevoked(deps, action.userId, 'revoked');
  return await end(deps, action, { admins: false, endsSessions: 'revoked', events, audit });
}

async function end(deps: SessionDeps, action: Action, wanted: Change): Promise<number> {
  const { ended } = await change(deps, action, wanted);
  await deps.revocation.revokeUser(action.userId, ended, null);
  return ended.length;
}

/**
 * Takes the password away and ends all sessions; a mail to choose another one follows.
 * @throws {Problem} `not_found`, `last_admin`; `email_missing`; `precondition_failed` where the address changed at that
 * very moment
 */
export async function forcePasswordReset(deps: SessionDeps, action: Action): Promise<number> {
  const { userId } = action;
  const user = await readUser(deps.db, userId);
  if (user === undefined) throw noSuchUser();
  const { email } = await openPersonalData(deps, user);
  if (email === null || user.emailIndex === null) throw new Problem('email_missing');
  const enqueued = await enqueuePasswordMail(deps, user, { emailIndex: user.emailIndex, to: email });
  return await end(deps, action, {
    set: { passwordHash: null },
    admins: true,
    from: user.emailIndex,
    endsSessions: 'password_removed',
    drops: ['reset_password', 'change_email'],
    enqueued,
    events: await passwordChanged(deps, userId, 'removed', { reason: 'password_removed' }),
    audit: actionAudit(deps, 'password_reset_forced', action),
  });
}

/** The mail in which a user whom an admin has asked chooses a password. It tells nothing of the admin. */
export function enqueuePasswordMail(
  deps: Deps,
  { id: userId, locale }: Pick<UserRow, 'id' | 'locale'>,
  address: { readonly emailIndex: string; readonly to: string },
) {
  const event = { at: deps.now(), address: null, device: null };
  return enqueueToken(deps, {
    purpose: 'reset_password',
    userId,
    ...address,
    locale: chooseLocale(locale),
    message: (secret) => ({ type: 'choose_password', data: { ...secret, ...event } }),
  });
}

/** Tells who was removed; the row outlives them and says nothing of who they were. None where there is no address. */
async function removalMail(deps: Deps, user: { readonly locale: string | null; readonly email: string | null }) {
  if (user.email === null) return [];
  const message = { type: 'account_removed', data: { at: deps.now(), address: null, device: null } } as const;
  return [await mailRow(deps, { to: user.email, locale: chooseLocale(user.locale), message }, undefined)];
}

/** Deletes a user with all that is held of the person. @throws {Problem} `not_found`, `last_admin` */
export async function removeUser(deps: SessionDeps, action: Action): Promise<void> {
  const { userId, call } = action;
  const user = await readUser(deps.db, userId);
  if (user === undefined) throw noSuchUser();
  const { email } = await openPersonalData(deps, user);
  const mails = await removalMail(deps, { ...user, email });
  // Of one's own deletion nothing is kept, whichever way it goes.
  const isOwn = userId === action.actor.userId;
  const nobody = { userId: null, sessionId: null, origin: { address: undefined, userAgent: undefined } };
  const entry = { type: 'user_deleted', result: 'success' } as const;
  const audit = isOwn
    ? auditRow(deps, { ...entry, ...nobody })
    : { ...actionAudit(deps, entry.type, action), userId: null };
  if (!(await forgetUser(deps, { id: userId, email }, audit, mails, call))) throw noSuchUser();
}
