import * as z from 'zod';
import type { Config } from '../config.ts';
import { Problem } from '../errors.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { definitionOf, schemaPath } from './catalogue.ts';
import { isEventType } from './types.ts';

const params = z.object({
  type: z.string().meta({ examples: ['UserCreated'] }),
  version: z.string().meta({ examples: ['1'] }),
});
const schema = z.looseObject({ $id: z.string() }).meta({
  examples: [{ $id: `https://auth.example.com${schemaPath('UserDeleted')}`, title: 'UserDeleted', type: 'object' }],
});

/** The JSON schemas of events, where their `dataschema` says. */
export function eventRoutes({ issuer }: Pick<Config, 'issuer'>): Endpoint[] {
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
        // As consumers are to read it: a field that is added is no new version, so others than these are allowed.
        const read = z.toJSONSchema(definition.data, { io: 'input' });
        const identity = { $id: `${issuer}${schemaPath(type, definition.version)}`, title: type };
        const body = { ...identity, description: definition.description, ...read };
        return c.json(body, 200, { 'Cache-Control': 'public, max-age=3600' });
      },
    }),
  ];
}
