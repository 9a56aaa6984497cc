import * as z from 'zod';
import type { Config } from '../config.ts';
import { Problem } from '../errors.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { definitionOf, type EventDefinition, schemaPath } from './catalogue.ts';
import { type EventType, isEventType } from './types.ts';

const params = z.object({
  type: z.string().meta({ examples: ['UserCreated'] }),
  version: z.string().meta({ examples: ['1'] }),
});
const schema = z.looseObject({ $id: z.string() }).meta({
  examples: [{ $id: `https://auth.example.com${schemaPath('UserDeleted')}`, title: 'UserDeleted', type: 'object' }],
});

/** The JSON schemas of events, where their `dataschema` says. Each is made once, at the first request for it. */
export function eventRoutes({ issuer }: Pick<Config, 'issuer'>): Endpoint[] {
  const made = new Map<EventDefinition, object>();

  function schemaOf(type: EventType, { data, description, version }: EventDefinition): object {
    // As consumers are to read it: a field that is added is no new version, so others than these are allowed.
    const read = z.toJSONSchema(data, { io: 'input' });
    return { $id: `${issuer}${schemaPath(type, version)}`, title: type, description, ...read };
  }

  return [
    endpoint({
      method: 'get',
      path: '/events/schemas/{type}/{version}',
      operationId: 'eventSchema',
      tag: 'Events',
      summary: 'Get the JSON schema of an event',
      params,
      responses: { 200: { description: 'JSON Schema 2020-12', schema } },
      errors: ['not_found'],
      prepare: unlimited,
      handler: ({ c, params: { type, version } }) => {
        const definition = isEventType(type) ? definitionOf(type, Number(version)) : undefined;
        // One address for each: `1` and not `01`.
        if (!isEventType(type) || definition === undefined || String(definition.version) !== version) {
          throw new Problem('not_found');
        }
        const body = made.get(definition) ?? schemaOf(type, definition);
        made.set(definition, body);
        return c.json(body, 200, { 'Cache-Control': 'public, max-age=3600' });
      },
    }),
  ];
}
