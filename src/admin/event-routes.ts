import * as z from 'zod';
import type { Caller } from '../call.ts';
import { Problem } from '../errors.ts';
import type { EventRelay } from '../events/relay.ts';
import { type Endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { pageOf, pageQuery, toPage } from '../http/page.ts';
import { message } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { readEvents } from './event-store.ts';
import { eventFilters, outboxEvent, replay, toOutboxEvent } from './events.ts';
import { userParams } from './schemas.ts';

const noStore = { 'Cache-Control': 'no-store' };
const tag = 'Administration';
const writes = ({ caller }: { readonly caller: Caller }) => ({
  hits: [{ policy: 'write_user', key: caller.userId } as const],
  subject: undefined,
});
const listQuery = pageQuery.extend(eventFilters.shape).extend({ state: outboxEvent.shape.state.optional() });
const replayed = message
  .extend({ replayed: z.int().describe('Number of events, at most 1,000. Repeat the request for the rest') })
  .meta({ examples: [{ message: 'The service delivers the events again', replayed: 3 }] });

/** The events that wait for their sinks, and those that were given up, which can be delivered again. */
export function adminEventRoutes(deps: SessionDeps & { readonly events: EventRelay }): Endpoint[] {
  const { db, events } = deps;
  return [
    guardedEndpoint({
      method: 'get',
      path: '/admin/events',
      permission: 'events:read',
      operationId: 'listEvents',
      tag,
      summary: 'List undelivered events',
      description:
        'Lists events that wait for a sink and events that the service gave up, newest first. The service does not keep delivered events.',
      query: listQuery,
      responses: {
        200: { description: 'A page of deliveries', schema: pageOf(outboxEvent).meta({ id: 'OutboxEventPage' }) },
      },
      errors: [],
      limits: ['read_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'read_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, query: { limit, cursor, state, ...filter } }) => {
        const dead = state === undefined ? undefined : state === 'dead';
        const rows = await readEvents(db, { limit: limit + 1, before: cursor }, { ...filter, dead });
        const page = toPage(rows, limit, (row) => toOutboxEvent(deps, row));
        return c.json({ ...page, items: await Promise.all(page.items) }, 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'post',
      path: '/admin/events/replay',
      permission: 'events:replay',
      operationId: 'replayEvents',
      tag,
      summary: 'Redeliver failed events',
      description:
        'Redelivers the events that the service gave up: all of them, or those of a sink, a type or a user. The oldest go first.',
      sensitive: true,
      // A field that is not known would mean all of them.
      body: z.strictObject(eventFilters.shape).meta({ id: 'ReplayRequest', examples: [{ sink: 'rabbitmq' }] }),
      bodyOptional: true,
      responses: { 200: { description: 'The events are due again', schema: replayed } },
      errors: [],
      limits: ['write_user'],
      prepare: writes,
      handler: async ({ c, body, caller, call }) => {
        const by = { actorId: caller.userId, sessionId: caller.sessionId, origin: call.origin };
        const count = await replay(deps, body, by);
        call.after(events.sweep);
        return c.json({ message: 'The service delivers the events again', replayed: count }, 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'post',
      path: '/admin/events/{id}/replay',
      permission: 'events:replay',
      operationId: 'replayEvent',
      tag,
      summary: 'Redeliver one failed event',
      sensitive: true,
      params: userParams,
      responses: { 200: { description: 'The event is due again', schema: replayed } },
      errors: ['not_found'],
      limits: ['write_user'],
      prepare: writes,
      handler: async ({ c, params: { id }, caller, call }) => {
        const by = { actorId: caller.userId, sessionId: caller.sessionId, origin: call.origin };
        if ((await replay(deps, { id }, by)) === 0) throw new Problem('not_found', { reason: 'no such dead event' });
        call.after(events.sweep);
        return c.json({ message: 'The service delivers the event again', replayed: 1 }, 200, noStore);
      },
    }),
  ];
}
