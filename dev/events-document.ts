import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { catalogue, type EventDefinition } from '../src/events/catalogue.ts';

/** Where the document is kept. */
export const place = join(import.meta.dirname, '../docs/events.md');

const property = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  enum: z.array(z.string()).optional(),
  description: z.string().optional(),
  get items() {
    return property.optional();
  },
  get anyOf() {
    return z.array(property).optional();
  },
});
const object = z.looseObject({ properties: z.record(z.string(), property), required: z.array(z.string()) });

/** A type in a few words: `uuid`, `string or null`, `list of string`. */
function inWords({ type, format, enum: values, items, anyOf }: z.output<typeof property>): string {
  if (anyOf !== undefined) return anyOf.map(inWords).join(' or ');
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (items !== undefined) return `list of ${inWords(items)}`;
  return format ?? (Array.isArray(type) ? type.join(' or ') : (type ?? 'any'));
}

function section([type, { version, description, data }]: [string, EventDefinition]): string {
  const { properties, required } = object.parse(z.toJSONSchema(data));
  const rows = Object.entries(properties).map(([name, described]) => {
    const optional = required.includes(name) ? '' : ', optional';
    return `| \`${name}\` | ${inWords(described)}${optional} | ${described.description ?? ''} |`;
  });
  return [
    `## ${type}`,
    '',
    `Version ${version}. ${description}`,
    '',
    '| Field | Type | Meaning |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const head = `# Events

<!-- Written by \`npm run docs:events\` from src/events/catalogue.ts. -->

The service tells other services what happens to accounts, as [CloudEvents 1.0](https://cloudevents.io) in JSON:

\`\`\`json
{
  "specversion": "1.0",
  "id": "01990a6e-7c1c-7d5e-9d0e-2f4f6f0a1b2c",
  "source": "https://auth.example.com",
  "type": "SessionStarted",
  "subject": "01990a6e-7a00-7b11-8c22-334455667788",
  "time": "2026-11-24T12:00:00.000Z",
  "sequence": "0000000000000004711",
  "datacontenttype": "application/json",
  "dataschema": "https://auth.example.com/events/schemas/SessionStarted/1",
  "data": {
    "user_id": "01990a6e-7a00-7b11-8c22-334455667788",
    "session_id": "01990a6e-7b00-7c33-9d44-5566778899aa",
    "client_id": "first-party"
  }
}
\`\`\`

- The statement that makes a change writes its event too, and the service delivers it at least once. Store the \`id\`s you
  have handled, and skip repeats.
- \`id\` names the event and is the same at every sink. \`/admin/events\` calls it \`event_id\`; its own \`id\` names the delivery
  to one sink.
- \`subject\` is the user. A sink gets the events of one user in the order in which they happened. The service gives an event
  up after 20 tries or three days, and then goes on with the later ones. It keeps a failed event for 30 days, and you can
  replay it (\`/admin/events\`, \`npm run cli -- events replay\`).
- \`sequence\` sorts as text: a later event of a user has a greater one. Where a sink keeps no order (Cloudflare Queues), or
  after a replay, compare it with that of the last event about the same subject.
- \`traceparent\` and \`tracestate\` are the [distributed tracing](https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md)
  extension. They name the trace of the request that caused the event, so that your spans can join it. Events outside of a
  request have neither.
- Ignore fields you do not know: an added field does not change the version. A change that could break a consumer gets a
  new version, and a new \`dataschema\` that serves its JSON schema.
- With \`EVENTS_PERSONAL_DATA=false\`, \`email\` and \`username\` are always null.

[Event sinks](event-sinks.md) tells where events can go and how to receive them.
`;

/** The document of all events. */
export const eventsDocument = (): string =>
  `${[head, ...Object.entries(catalogue).map(section)].join('\n')}\n`
    .replaceAll('\n## ', '\n\n## ')
    .replaceAll('\n\n\n', '\n\n');

if (import.meta.main) await writeFile(place, eventsDocument());
