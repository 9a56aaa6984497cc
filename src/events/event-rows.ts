import * as z from 'zod';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { traceHeaders } from '../ops/observation.ts';
import { newRow, openPayload } from '../outbox/outbox.ts';
import type { OutboxRow } from '../outbox/store.ts';
import { catalogue, type EventData, schemaPath } from './catalogue.ts';
import type { CloudEvent } from './sink.ts';
import { type EventType, isEventType } from './types.ts';

/** What the rows of an event need to know. */
export interface EventDeps extends Pick<Deps, 'keyring' | 'newId' | 'now'> {
  readonly config: Pick<Config, 'eventSinks' | 'eventsPersonalData'>;
}

/** Stands for a user whom the statement alone knows. */
const unknown = '00000000-0000-0000-0000-000000000000';

const sealed = z.object({
  id: z.uuid(),
  time: z.iso.datetime(),
  /** Of its type, as the release that wrote it knew it. The first releases wrote none. */
  version: z.int().default(1),
  /** The trace of the request that it happened in. */
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
});
const details = z.record(z.string(), z.unknown()).nullish();

/**
 * An event, as rows of the outbox: one for each sink that takes its type, none where nobody does. They are written by the
 * statement that makes it true (`enqueueFrom`), and handed to the relay after the answer.
 * @param userId whom it is about; undefined where the statement fills it in
 */
export async function eventRows<Type extends EventType>(
  deps: EventDeps,
  type: Type,
  userId: string | undefined,
  data: EventData<Type>,
): Promise<OutboxRow[]> {
  const sinks = deps.config.eventSinks.filter(({ types }) => types?.includes(type) ?? true);
  if (sinks.length === 0) return [];
  // One id, whoever takes it: a consumer of two sinks can tell that it is one event.
  const time = new Date(deps.now()).toISOString();
  const { version } = catalogue[type];
  const event = { id: deps.newId(), time, version, ...traceHeaders(), data } satisfies z.input<typeof sealed>;
  const row = { kind: 'event', type, subject: userId ?? unknown } as const;
  return await Promise.all(sinks.map(({ name }) => newRow(deps, { id: deps.newId(), ...row, sink: name }, event)));
}

/** What of a person goes into events, where the operator lets it. */
export const personal = ({ config }: Pick<EventDeps, 'config'>, value: string | null): string | null =>
  config.eventsPersonalData ? value : null;

/** The id of an event, which all of its deliveries share; null where it cannot be read here, as under another secret. */
export async function eventIdOf(deps: Pick<Deps, 'keyring'>, row: OutboxRow): Promise<string | null> {
  try {
    return sealed.parse(await openPayload(deps, row)).id;
  } catch {
    return null;
  }
}

/**
 * The event of a row.
 * @throws {Error} where it cannot be read here: another secret, a type that only newer instances know
 */
export async function openEvent(
  deps: Pick<Deps, 'config' | 'keyring'>,
  row: OutboxRow & { readonly place: string },
): Promise<CloudEvent> {
  const { type, subject } = row;
  const { id, time, version, traceparent, tracestate, data } = sealed.parse(await openPayload(deps, row));
  if (!isEventType(type)) throw new Error('An event of an unknown type');
  const { issuer } = deps.config;
  return {
    specversion: '1.0',
    id,
    source: issuer,
    type,
    subject,
    time,
    // As many digits as the column can have.
    sequence: row.place.padStart(19, '0'),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
    datacontenttype: 'application/json',
    dataschema: `${issuer}${schemaPath(type, version)}`,
    data: { ...data, ...details.parse(row.details), user_id: subject },
  };
}
