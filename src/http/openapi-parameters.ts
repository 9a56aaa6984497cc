import * as z from 'zod';
import type { Endpoint } from './endpoint.ts';
import type { Json, ToJson } from './openapi-responses.ts';

const objectSchema = z.object({
  properties: z.record(z.string(), z.looseObject({ description: z.string().optional() })),
  required: z.array(z.string()).optional(),
});

/** The parameters of the path and the query, and the headers that the endpoint reads. */
export function describeParameters({ params, query, requestHeaders }: Endpoint['contract'], toJson: ToJson): Json {
  const described = (where: 'path' | 'query', schema: z.ZodType | undefined) => {
    if (schema === undefined) return [];
    const { properties, required = [] } = objectSchema.parse(toJson(schema, 'input'));
    return Object.entries(properties).map(([name, { description, ...json }]) => ({
      name,
      in: where,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: json,
    }));
  };
  const headers = Object.entries(requestHeaders ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  const parameters = [...described('path', params), ...described('query', query), ...headers];
  return parameters.length === 0 ? {} : { parameters };
}
