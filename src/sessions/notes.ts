import { type AuditEntry, auditRow, type Origin, recordAudit } from '../audit/audit.ts';
import type { Caller } from '../call.ts';
import type { Deps } from '../deps.ts';
import type { ProblemCode } from '../errors.ts';
import type { AddressKey } from '../limits/address-key.ts';
import type { LogFields } from '../ops/log.ts';

/** What a refusal is called in the audit log. */
const refusals: Partial<Record<ProblemCode, AuditEntry['type']>> = {
  forbidden: 'permission_refused',
  rate_limited: 'limit_reached',
  account_locked: 'lock_refused',
};

/** Whether a refusal is noted. */
export const isNoted = (code: ProblemCode): boolean => refusals[code] !== undefined;

/** Of refusals, this process writes so many rows of one kind about one source, and of one kind, in an hour. */
const maxOfOne = 5;
const maxOfKind = 1000;
/** The same admin at the same thing is noted once in so many seconds. */
const viewPause = 60;
/** So many views of one admin this process notes in an hour. No refusals and no other admin take their room. */
const maxOfActor = 20_000;
/** How often the log tells that rows are left out, in seconds: once for each bound. */
const dropPause = 60;

type Needs = Pick<Deps, 'db' | 'fallback' | 'log' | 'newId' | 'now'>;
type Who = Pick<Caller, 'userId' | 'sessionId'>;

/**
 * Notes that somebody was refused, and from where. After the answer, and bounded in this process: a flood must neither
 * fill the table nor cost more than it does. Each kind has a bound of its own, so that one that strangers cause leaves
 * room for one that only users cause.
 */
export async function noteRefusal(
  deps: Needs & { readonly addressKey: AddressKey },
  code: ProblemCode,
  who: Who | undefined,
  origin: Origin,
): Promise<void> {
  const type = refusals[code];
  if (type === undefined) return;
  const source = who?.userId ?? (await deps.addressKey(origin.address));
  if (!(await isWithin(deps, `${type}:${source}`, maxOfOne, 3600))) return;
  if (!(await isWithin(deps, type, maxOfKind, 3600))) return await tellDropped(deps, type, { type });
  const { userId, sessionId } = who ?? { userId: null, sessionId: null };
  await recordAudit(deps.db, auditRow(deps, { type, result: 'failure', userId, sessionId, origin }));
}

/**
 * Notes that an admin looked at personal data that is sealed at rest: whose, where it is one person's. Whatever is left
 * out, the log tells.
 * @param type of the entry
 */
export async function noteView(
  deps: Needs,
  type: AuditEntry['type'],
  { actor, userId, origin }: { readonly actor: Who; readonly userId: string | null; readonly origin: Origin },
): Promise<void> {
  if (!(await isWithin(deps, `${type}:${actor.userId}:${userId}`, 1, viewPause))) return;
  if (!(await isWithin(deps, `views:${actor.userId}`, maxOfActor, 3600))) {
    return await tellDropped(deps, `views:${actor.userId}`, { type, actor: actor.userId });
  }
  const entry = { type, result: 'success', userId, actorId: actor.userId, sessionId: actor.sessionId } as const;
  await recordAudit(deps.db, auditRow(deps, { ...entry, origin }));
}

async function isWithin({ fallback }: Needs, key: string, limit: number, window: number): Promise<boolean> {
  const [counted] = await fallback.run([{ type: 'limit', key: `noted:${key}`, limit, window }]);
  return counted.success;
}

/** Says that a row is missing from the audit log. */
async function tellDropped(deps: Needs, bound: string, fields: LogFields): Promise<void> {
  if (await isWithin(deps, `dropped:${bound}`, 1, dropPause)) deps.log.warn('audit_rows_dropped', fields);
}
