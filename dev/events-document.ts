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
    const optional = required.includes(name) ? '' : ', may be missing';
    return `| \`${name}\` | ${inWords(described)}${optional} | ${described.description ?? ''} |`;
  });
  return [
    `## ${type}`,
    '',
    `Version ${version}. ${description}`,
    '',
    '| field | type | what it is |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const head = `# Events

<!-- Written by \`npm run docs:events\` from src/events/catalogue.ts. -->

Other services are told what happens to accounts here, as [CloudEvents 1.0](https://cloudevents.io) in JSON:

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

- An event is written by the statement that makes it true, and delivered at least once: a consumer keeps the \`id\`s it has
  seen, and passes over those that come again.
- \`id\` is that of the event, and the same with every sink. \`/admin/events\` calls it \`event_id\`; what is \`id\` there is the
  delivery to one sink.
- \`subject\` is the user. Events of one user reach a sink in the order in which they happened. One that was given up (20
  tries, or three days) holds up none that come after it; it is kept for 30 days from then and can be delivered
  again (\`/admin/events\`, \`npm run cli -- events replay\`), late then.
- \`sequence\` sorts as text: a later event of a user has a greater one. Where a way keeps no order (Cloudflare Queues), or
  an event that was given up comes late, compare it with that of the last event about the same thing.
- \`traceparent\` (and \`tracestate\`) is the [distributed tracing](https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md)
  extension: the trace of the request that it happened in, so that a consumer's spans belong to it. What happened in none
  has no such attribute.
- A field that is added is no new version, so pass over what you do not know. A change that could break a consumer is a new
  version, with a new \`dataschema\`, where the JSON schema is served.
- With \`EVENTS_PERSONAL_DATA=false\` no event names a person: \`email\` and \`username\` are null.

Who takes them, and how: [event sinks](event-sinks.md).
`;

/** The document of all events. */
export const eventsDocument = (): string =>
  `${[head, ...Object.entries(catalogue).map(section)].join('\n')}\n`
    .replaceAll('\n## ', '\n\n## ')
    .replaceAll('\n\n\n', '\n\n');

if (import.meta.main) await writeFile(place, eventsDocument());
