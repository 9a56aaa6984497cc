import * as z from 'zod';
import type { Config } from '../config.ts';
import { Problem } from '../errors.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { catalogue, schemaPath } from './catalogue.ts';
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
      summary: "The JSON schema of an event's data",
      params,
      responses: { 200: { description: 'JSON Schema 2020-12', schema } },
      errors: ['not_found'],
      prepare: unlimited,
      handler: ({ c, params: { type, version } }) => {
        if (!isEventType(type) || String(catalogue[type].version) !== version) throw new Problem('not_found');
        const { data, description } = catalogue[type];
        const identity = { $id: `${issuer}${schemaPath(type)}`, title: type, description };
        return c.json({ ...identity, ...z.toJSONSchema(data) }, 200, { 'Cache-Control': 'public, max-age=3600' });
      },
    }),
  ];
}
