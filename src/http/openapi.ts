import * as z from 'zod';
import { type ProblemCode, problems } from '../errors.ts';
import { type Contract, type Endpoint, endpoint, type ResponseContract, unlimited } from './endpoint.ts';

type Json = Readonly<Record<string, unknown>>;

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string().describe('Stable: decide by it'),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

const formTypes = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** Errors every endpoint may answer with, by what it takes. */
function commonErrors({ body, params, query }: Endpoint['contract']): ProblemCode[] {
  const ofBody: ProblemCode[] = ['invalid_json', 'unsupported_media_type', 'body_too_large', 'validation_failed'];
  return [
    ...(params === undefined ? [] : ['not_found' as const]),
    ...(query === undefined ? [] : ['validation_failed' as const]),
    ...(body === undefined ? [] : ofBody),
    'rate_limited',
    'internal_error',
    'overloaded',
    'unavailable',
  ];
}

/** The OpenAPI 3.1 document, from the contracts that the endpoints are validated with. */
function openApiDocument(endpoints: readonly Endpoint[], info: { issuer: string; version: string }): Json {
  const schemas: Record<string, unknown> = {};
  const reference = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const { $schema, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [id, definition] of Object.entries($defs ?? {})) schemas[id] = hoisted({ ...definition, id: undefined });
    return hoisted(json);
  };
  const problem = reference(problemSchema, 'output');

  const paths: Record<string, Record<string, unknown>> = {};
  for (const { contract } of endpoints) {
    const { method, path, body, bodyOptional, form, deprecated } = contract;
    const bodyTypes = ['application/json', ...(form === 'or-json' ? formTypes : [])];
    const success = Object.entries(contract.responses).map(([status, response]) => [
      status,
      describeResponse(response, (schema) => reference(schema, 'output')),
    ]);
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: contract.operationId,
        summary: contract.summary,
        ...describe(contract),
        tags: [contract.tag],
        ...(deprecated === true ? { deprecated } : {}),
        security: securityOf(contract),
        ...describeParameters(contract, (schema) => reference(schema, 'input')),
        ...(body === undefined
          ? {}
          : {
              requestBody: {
                required: bodyOptional !== true,
                content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: reference(body, 'input') }])),
              },
            }),
        responses: {
          ...Object.fromEntries(success),
          ...problemResponses([...contract.errors, ...commonErrors(contract)], problem),
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Edge Auth',
      version: info.version,
      description: 'Accounts, sessions and tokens. Access tokens verify locally with the JWKS.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: info.issuer }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        metrics: { type: 'http', scheme: 'bearer', description: '`METRICS_TOKEN`' },
      },
    },
  };
}

function describe({ description, permission }: Endpoint['contract']): Json {
  const needed = permission === undefined ? undefined : `Needs a role with the permission \`${permission}\`.`;
  const sentences = [description, needed].filter((sentence) => sentence !== undefined);
  return sentences.length === 0 ? {} : { description: sentences.join(' ') };
}

function securityOf({ security }: Contract): Json[] {
  if (security === undefined) return [];
  return security === 'bearer-or-body' ? [{ bearer: [] }, {}] : [{ [security]: [] }];
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.looseObject({ description: z.string().optional() })),
  required: z.array(z.string()).optional(),
});

/** The parameters of the path and the query, and the headers that the endpoint reads. */
function describeParameters(
  { params, query, requestHeaders }: Endpoint['contract'],
  toJson: (schema: z.ZodType) => Json,
): Json {
  const described = (where: 'path' | 'query', schema: z.ZodType | undefined) => {
    if (schema === undefined) return [];
    const { properties, required = [] } = objectSchema.parse(toJson(schema));
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

function describeResponse(
  { description, schema, headers }: ResponseContract,
  toJson: (schema: z.ZodType) => Json,
): Json {
  const described = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(described.length === 0 ? {} : { headers: Object.fromEntries(described) }),
    ...(schema === undefined ? {} : { content: { 'application/json': { schema: toJson(schema) } } }),
  };
}

/** Errors of one status share a response that lists their codes. */
function problemResponses(codes: readonly ProblemCode[], problem: Json): Json {
  const byStatus = Map.groupBy(new Set(codes), (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${problems[code].title}`).join('. '),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}

/** zod refers within one schema; the document keeps all named ones in one place. */
const hoisted = (json: unknown): Json =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));

/** Serves the document of what `endpoints` gives; made at the first request for it, not at start. */
export function openApiRoutes(
  endpoints: () => readonly Endpoint[],
  info: { issuer: string; version: string },
): Endpoint[] {
  let document: Json | undefined;
  return [
    endpoint({
      method: 'get',
      path: '/openapi.json',
      operationId: 'openapi',
      tag: 'Operation',
      summary: 'This document',
      responses: { 200: { description: 'OpenAPI 3.1' } },
      errors: [],
      prepare: unlimited,
      handler: ({ c }) => {
        document ??= openApiDocument(endpoints(), info);
        return c.json(document);
      },
    }),
  ];
}
