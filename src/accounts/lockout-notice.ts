import * as z from 'zod';
import { type AuditRow, auditRow, keptOrigin, type Origin } from '../audit/audit.ts';
import { userAgentInWords } from '../audit/user-agent.ts';
import type { Deps } from '../deps.ts';
import { chooseLocale } from '../email/locale.ts';
import { eventRows } from '../events/event-rows.ts';
import { mailRow, taskRow } from '../outbox/outbox.ts';
import type { Task } from '../outbox/relay.ts';
import { deleteOutbox, type OutboxRow } from '../outbox/store.ts';
import { insertLockoutNotice } from './lockout-store.ts';
import { openPersonalData } from './profile.ts';
import { type AccountLookup, findAccount } from './store.ts';

const payload = z.object({
  lookup: z.union([z.object({ emailIndexes: z.array(z.string()) }), z.object({ usernameKey: z.string() })]),
  at: z.number(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});

/**
 * The task to tell the owner of an account that it was locked. Written whether or not there is such an account, so
 * that neither the answer nor what leads to it can tell.
 * @param origin of the failure that locked it
 */
export function lockoutNoticeTask(
  deps: Pick<Deps, 'keyring' | 'newId' | 'now'>,
  lookup: AccountLookup,
  origin: Origin,
): Promise<OutboxRow> {
  return taskRow(deps, 'account_locked', { lookup, at: deps.now(), ...keptOrigin(origin) });
}

/** Carries that task out: an audit row, and a mail where the account has an address. */
export const lockoutNotice =
  (deps: Deps): Task =>
  async (data, row) => {
    const { lookup, at, address, userAgent } = payload.parse(data);
    const account = await findAccount(deps.db, lookup);
    if (account === undefined) {
      await deleteOutbox(deps.db, row.id);
      return [];
    }
    const unknown = { address: undefined, userAgent: undefined };
    const entry = { type: 'account_locked', result: 'success', userId: account.id, sessionId: null } as const;
    const audit: AuditRow = {
      ...auditRow(deps, { ...entry, origin: unknown }),
      ...{ address, userAgent, createdAt: new Date(at) },
    };
    const { email } = await openPersonalData(deps, account);
    const message = { type: 'account_locked', data: { at, address, device: userAgentInWords(userAgent) } } as const;
    // Not in a language that the stranger asked for.
    const mail = email === null ? undefined : { to: email, locale: chooseLocale(account.locale), message };
    const mailed = mail === undefined ? [] : [await mailRow(deps, mail, account.id)];
    const enqueued = [...mailed, ...(await eventRows(deps, 'AccountLocked', account.id, {}))];
    return (await insertLockoutNotice(deps.db, row.id, account.id, audit, enqueued)) ? enqueued : [];
  };
