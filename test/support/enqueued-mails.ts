import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import type { Message } from '../../src/email/messages.ts';
import { mailRow } from '../../src/outbox/outbox.ts';
import { insertOutbox, type OutboxRow } from '../../src/outbox/store.ts';
import type { TestApp } from './test-app.ts';

export const event = { at: Date.parse('2026-03-02T15:04:05Z'), address: '192.0.2.0/24', device: 'Chrome 130' };

/** Enqueues one mail for each recipient, as a statement that makes a change would. */
export async function enqueueMails(
  { deps }: Pick<TestApp, 'deps'>,
  recipients: readonly string[],
  message: Message = { type: 'new_sign_in', data: event },
): Promise<OutboxRow[]> {
  const rows = await Promise.all(recipients.map((to) => mailRow(deps, { to, locale: 'en', message }, undefined)));
  await insertOutbox(deps.db, rows);
  return rows;
}

/** `count` addresses of people there are not. */
export const people = (count: number) => Array.from({ length: count }, (_, index) => `person-${index}@example.com`);

const kept = z.object({
  id: z.string(),
  attempts: z.number(),
  dead: z.boolean(),
  last_error: z.string().nullable(),
  next: z.number(),
});

/** What the outbox holds, oldest first; `next` in milliseconds since the epoch. */
export function outboxOf({ deps }: Pick<TestApp, 'deps'>): Promise<z.output<typeof kept>[]> {
  const next = sql`(extract(epoch from next_attempt_at) * 1000)::float8 as next`;
  return query(deps.db, kept, sql`select id, attempts, dead, last_error, ${next} from outbox order by created_at, id`);
}

/** Runs the scheduled work every five minutes until nothing is left to send, for at most `hours`. */
export async function sweepUntilDone(app: TestApp, hours: number): Promise<void> {
  for (let minutes = 0; minutes < hours * 60; minutes += 5) {
    await app.app.runScheduled();
    if ((await outboxOf(app)).every(({ dead }) => dead)) return;
    app.clock.advance(300);
  }
  expect.fail('mails are still waiting');
}
