import { and, desc, eq, lt } from 'drizzle-orm';
import type { Database } from '../db/database.ts';
import { auditLog } from '../db/schema.ts';
import { columnsOf } from '../db/sql.ts';

export type ActivityRow = typeof auditLog.$inferSelect;

/**
 * What was recorded about a user, newest first.
 * @param page at most `limit` rows that are older than the one with the id `before`
 */
export function readActivity(
  db: Database,
  userId: string,
  page: { readonly limit: number; readonly before?: string | undefined },
): Promise<ActivityRow[]> {
  const older = page.before === undefined ? undefined : lt(auditLog.id, page.before);
  return db
    .select(columnsOf(auditLog))
    .from(auditLog)
    .where(and(eq(auditLog.userId, userId), older))
    .orderBy(desc(auditLog.id))
    .limit(page.limit);
}
