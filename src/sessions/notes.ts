import { type AuditEntry, auditRow, type Origin, recordAudit } from '../audit/audit.ts';
import type { Deps } from '../deps.ts';
import type { ProblemCode } from '../errors.ts';
import type { AddressKey } from '../limits/address-key.ts';
import type { Caller } from './authenticate.ts';

/** What a refusal is called in the audit log. */
const refusals: Partial<Record<ProblemCode, AuditEntry['type']>> = {
  forbidden: 'permission_refused',
  rate_limited: 'limit_reached',
  account_locked: 'lock_refused',
};

/** Whether a refusal is noted. */
export const isNoted = (code: ProblemCode): boolean => refusals[code] !== undefined;

/** So many rows of one kind about one source, and of all of them, this process writes in an hour. */
const mostOfOne = 5;
const mostOfAll = 1000;
/** The same admin at the same thing is noted once in so many seconds. */
const viewPause = 60;

type Needs = Pick<Deps, 'db' | 'fallback' | 'newId' | 'now'>;
type Who = Pick<Caller, 'userId' | 'sessionId'>;

/**
 * Notes that somebody was refused, and from where. After the answer, and bounded in this process: a flood must neither
 * fill the table nor cost more than it does.
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
  if (!(await isWithin(deps, `${type}:${source}`, mostOfOne, 3600))) return;
  const { userId, sessionId } = who ?? { userId: null, sessionId: null };
  await recordAudit(deps.db, auditRow(deps, { type, result: 'failure', userId, sessionId, origin }));
}

/**
 * Notes that an admin looked at personal data that is sealed at rest: whose, where it is one person's.
 * @param type of the entry
 */
export async function noteView(
  deps: Needs,
  type: AuditEntry['type'],
  { actor, userId, origin }: { readonly actor: Who; readonly userId: string | null; readonly origin: Origin },
): Promise<void> {
  if (!(await isWithin(deps, `${type}:${actor.userId}:${userId}`, 1, viewPause))) return;
  const entry = { type, result: 'success', userId, actorId: actor.userId, sessionId: actor.sessionId } as const;
  await recordAudit(deps.db, auditRow(deps, { ...entry, origin }));
}

async function isWithin({ fallback }: Needs, key: string, limit: number, window: number): Promise<boolean> {
  const [one] = await fallback.run([{ type: 'limit', key: `noted:${key}`, limit, window }]);
  if (!one.success) return false;
  const [all] = await fallback.run([{ type: 'limit', key: 'noted', limit: mostOfAll, window: 3600 }]);
  return all.success;
}
