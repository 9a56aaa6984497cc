import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

/**
 * Users whose sessions an epoch ended, or who are gone. For as long as access tokens live, the mark that refuses them is
 * repeated from this row. Then the scheduled work notes what more ended than one statement notes, and takes the row away.
 */
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
