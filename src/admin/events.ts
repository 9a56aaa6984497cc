import * as z from 'zod';
import { exampleUser } from '../accounts/schemas.ts';
import { exampleActivity } from '../audit/activity.ts';
import { type AuditEntry, auditRow } from '../audit/audit.ts';
import { timeOfUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import { eventIdOf } from '../events/event-rows.ts';
import { eventTypes } from '../events/types.ts';
import { type EventFilter, type readEvents, replayEvents } from './event-store.ts';

/** How many one call replays: what is left, another one takes. */
const maxReplayed = 1000;

/** Which events are meant. */
export const eventFilters = z.object({
  sink: z
    .string()
    .max(100)
    .optional()
    .describe('The sink: `rabbitmq`, `queue`, `redis-stream` or `webhook:<name>`')
    .meta({ examples: ['rabbitmq'] }),
  type: z.enum(eventTypes).optional(),
  user: z.uuid().toLowerCase().optional().describe('The user that the event is about'),
});

/** An event in the outbox, as admins see it. What the event says stays sealed. */
export const outboxEvent = z
  .object({
    id: z
      .uuid()
      .describe('Id of the delivery, one for each sink. Use it to redeliver the event. The log calls it `outbox_id`'),
    event_id: z
      .uuid()
      .nullable()
      .describe(
        'Id of the event, as consumers see it. Null if the service no longer has the secret that encrypted the event',
      ),
    type: z.string(),
    user_id: z.uuid(),
    sink: z.string(),
    state: z
      .enum(['waiting', 'dead'])
      .describe('The service gave up `dead` events after 20 attempts or three days. It keeps them for another 30 days'),
    attempts: z.int(),
    last_error: z.string().nullable(),
    created_at: z.iso.datetime(),
    next_attempt_at: z.iso.datetime().nullable(),
  })
  .meta({
    id: 'OutboxEvent',
    examples: [
      {
        id: exampleActivity.id,
        event_id: exampleUser.id,
        type: 'UserCreated',
        user_id: exampleUser.id,
        sink: 'rabbitmq',
        state: 'dead',
        attempts: 20,
        last_error: 'timeout',
        created_at: exampleActivity.created_at,
        next_attempt_at: null,
      },
    ],
  });

type EventRow = Awaited<ReturnType<typeof readEvents>>[number];

/** As admins see it. Of what is sealed only the id is read. */
export async function toOutboxEvent(deps: Pick<Deps, 'keyring'>, row: EventRow): Promise<z.output<typeof outboxEvent>> {
  return {
    id: row.id,
    event_id: await eventIdOf(deps, row),
    type: row.type,
    user_id: row.subject,
    sink: row.sink ?? '',
    state: row.dead ? 'dead' : 'waiting',
    attempts: row.attempts,
    last_error: row.lastError,
    // The row's own time is when it was replayed.
    created_at: new Date(timeOfUuidv7(row.id)).toISOString(),
    next_attempt_at: row.dead ? null : row.nextAttemptAt.toISOString(),
  };
}

/** An operator at the command line. */
const operator = { actorId: null, sessionId: null, origin: { address: undefined, userAgent: undefined } };

/**
 * Has events that were given up delivered again.
 * @param by who asks for it
 * @returns how many, at most 1,000
 */
export async function replay(
  deps: Pick<Deps, 'db' | 'newId' | 'now'>,
  filter: EventFilter,
  by: Pick<AuditEntry, 'actorId' | 'sessionId' | 'origin'> = operator,
): Promise<number> {
  const audit = auditRow(deps, { type: 'events_replayed', result: 'success', userId: null, ...by });
  return (await replayEvents(deps.db, filter, { now: deps.now(), limit: maxReplayed }, audit)).length;
}
