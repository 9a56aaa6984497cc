import { sql } from 'drizzle-orm';
import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

/** What the holders of a role may do: names of `roles/permissions.ts`. `user` and `admin` are there from the start. */
export const roles = pgTable('roles', {
  name: text('name').primaryKey(),
  permissions: text('permissions').array().notNull(),
});

/** One row for each security event. No foreign keys: it outlives users and sessions. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid('id').primaryKey(),
    type: text('type').notNull(),
    result: text('result', { enum: ['success', 'failure'] }).notNull(),
    userId: uuid('user_id'),
    /** Who did it, where that is somebody else than the user: session, address and user agent are theirs then. */
    actorId: uuid('actor_id'),
    sessionId: uuid('session_id'),
    /** Truncated to /24 or /48. */
    address: text('address'),
    userAgent: text('user_agent'),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    index('audit_log_by_user').on(table.userId, table.id),
    index('audit_log_by_actor').on(table.actorId, table.id).where(sql`${table.actorId} is not null`),
    index('audit_log_by_type').on(table.type, table.id),
    index('audit_log_failures').on(table.id).where(sql`${table.result} = 'failure'`),
    index('audit_log_created_at').on(table.createdAt),
  ],
);
