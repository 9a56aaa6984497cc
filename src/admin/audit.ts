import type * as z from 'zod';
import { toActivity } from '../audit/activity.ts';
import type { ActivityRow } from '../audit/store.ts';
import { describeUserAgent } from '../audit/user-agent.ts';
import type { Deps } from '../deps.ts';
import type { KeptSession } from '../sessions/store.ts';
import type { AuditQuery, adminSession, auditEvent } from './schemas.ts';
import { readAudit } from './user-store.ts';
import { timeOf } from './users.ts';

/** A page of the audit log, newest first; one row more than `limit` where another page follows. */
export function listAudit({ db }: Pick<Deps, 'db'>, query: AuditQuery): Promise<ActivityRow[]> {
  const { limit, cursor, user, actor, type, result, from, to } = query;
  const page = { limit: limit + 1, before: cursor, from: timeOf(from), to: timeOf(to) };
  return readAudit(db, page, { user, actor, type, result });
}

/** A security event as admins see it, with who did it and from where. */
export function toAuditEvent(row: ActivityRow): z.output<typeof auditEvent> {
  return { ...toActivity({ ...row, actorId: null }), user_id: row.userId, actor_id: row.actorId };
}

/** A session as admins see it, also after it has ended. */
export function toAdminSession(row: KeptSession): z.output<typeof adminSession> {
  return {
    id: row.id,
    client_id: row.clientId,
    created_at: row.createdAt.toISOString(),
    last_seen_at: row.rotatedAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
    ended_reason: row.endedReason,
    address: row.address,
    user_agent: row.userAgent,
    ...describeUserAgent(row.userAgent),
  };
}
