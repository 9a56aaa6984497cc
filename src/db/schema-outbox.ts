import { sql } from 'drizzle-orm';
import { bigint, boolean, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

/**
 * What is enqueued: mails, events, and tasks whose outcome an answer must not tell (whether there is such an account).
 * Written by the statement that made them due, carried out by the relay.
 */
export const outbox = pgTable(
  'outbox',
  {
    id: uuid('id').primaryKey(),
    /** The order in which rows were written. Two changes of one user follow each other, and so do their rows. */
    position: bigint('position', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    kind: text('kind', { enum: ['event', 'email', 'task'] }).notNull(),
    type: text('type').notNull(),
    /** Of an event: who takes it. Each sink has a row of its own, and is delivered to by itself. */
    sink: text('sink'),
    /** Whom it is about; keeps the order for each user. No foreign key: it outlives the user. */
    subject: uuid('subject').notNull(),
    payloadSealed: text('payload_sealed').notNull(),
    /** Of an event: ids of sessions that the statement alone knows. */
    details: jsonb('details'),
    createdAt: time('created_at').notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** Of a dead row: when it died. */
    nextAttemptAt: time('next_attempt_at').notNull(),
    deliveredAt: time('delivered_at'),
    dead: boolean('dead').notNull().default(false),
    lastError: text('last_error'),
  },
  (table) => [
    index('outbox_due')
      .on(table.nextAttemptAt)
      .where(sql`${table.kind} <> 'event' and ${table.deliveredAt} is null and not ${table.dead}`),
    index('outbox_events_due')
      .on(table.sink, table.nextAttemptAt)
      .where(sql`${table.kind} = 'event' and not ${table.dead}`),
    index('outbox_events_order')
      .on(table.sink, table.subject, table.position)
      .where(sql`${table.kind} = 'event' and not ${table.dead}`),
    index('outbox_events_by_sink').on(table.sink, table.id).where(sql`${table.kind} = 'event'`),
    index('outbox_dead').on(table.id).where(sql`${table.dead}`),
    index('outbox_by_subject').on(table.subject, table.id),
  ],
);

/**
 * Who does the scheduled work now, and until when: of many replicas, one. Beside it, for each sink of events that takes
 * nothing, since when (`events/outage-store.ts`).
 */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  until: time('until').notNull(),
});
