import * as z from 'zod';
import type { Config } from '../config.ts';
import { Problem } from '../errors.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { catalogue, schemaPath } from './catalogue.ts';
import { isEventType } from './types.ts';

/** The JSON schemas of events, where their `dataschema` says. */
export function eventRoutes({ issuer }: Pick<Config, 'issuer'>): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/events/schemas/{type}/{version}',
      operationId: 'eventSchema',
      tag: 'Events',
      summary: "The JSON schema of an event's data",
      params: z.object({ type: z.string().describe('Such as UserCreated'), version: z.string().describe('Such as 1') }),
      responses: { 200: { description: 'JSON Schema 2020-12', schema: z.looseObject({ $id: z.string() }) } },
      errors: ['not_found'],
      prepare: unlimited,
      handler: ({ c, params: { type, version } }) => {
        if (!isEventType(type) || String(catalogue[type].version) !== version) throw new Problem('not_found');
        const { data, description } = catalogue[type];
        const schema = { $id: `${issuer}${schemaPath(type)}`, title: type, description, ...z.toJSONSchema(data) };
        return c.json(schema, 200, { 'Cache-Control': 'public, max-age=3600' });
      },
    }),
  ];
}
