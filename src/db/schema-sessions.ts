import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

/** Users of whom more sessions have ended than one statement notes: the scheduled work goes on with them. */
export const sessionEndings = pgTable(
  'session_endings',
  {
    userId: uuid('user_id').primaryKey(),
    /** Sessions of an older epoch are dead. */
    epoch: integer('epoch').notNull(),
    reason: text('reason', {
      enum: [
        'logout_all',
        'password_changed',
        'email_changed',
        'user_disabled',
        'password_removed',
        'revoked',
        'user_deleted',
      ],
    }).notNull(),
    endedAt: time('ended_at').notNull(),
    /** The session that lives on. */
    keptId: uuid('kept_id'),
  },
  (table) => [index('session_endings_by_time').on(table.endedAt)],
);
