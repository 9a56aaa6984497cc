import * as z from 'zod';
import type { Call } from '../call.ts';
import type { PolicyTable } from '../limits/policies.ts';
import type { Contract } from './contract.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { describeLimits } from './openapi-limits.ts';
import { describeParameters } from './openapi-parameters.ts';
import { describeExamples, describeResponses, type Json, sharedHeaders, type ToJson } from './openapi-responses.ts';

export interface DocumentInfo {
  readonly issuer: string;
  readonly version: string;
  /** The limits that are in force. */
  readonly limits: PolicyTable;
  /** Where the password form of RFC 6749 section 4.3.2 is taken, if anywhere. */
  readonly tokenPath: string | undefined;
}

/** What belongs together, in the order in which people look for it. Older APIs come after, each in a tag of its own. */
const tags: Readonly<Record<string, string>> = {
  Accounts: 'Register, sign in, and manage your own account.',
  Sessions: 'Refresh, list and end sessions. Check an access token for another service.',
  Tokens: 'The keys that verify access tokens.',
  Administration: 'Manage users, their sessions and roles, and read the audit log.',
  Events: 'Schemas of the events that other services receive.',
  Operation: 'Liveness, readiness, and this document.',
};
const ofOlderApi = 'For clients of an older service. New clients use the operation named in the description.';

const formTypes = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** The OpenAPI 3.1 document, from the contracts that the endpoints are validated with. */
function openApiDocument(endpoints: readonly Endpoint[], info: DocumentInfo): Json {
  const schemas: Record<string, unknown> = {};
  const toJson: ToJson = (schema, io) => {
    const { $schema, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [id, definition] of Object.entries($defs ?? {})) {
      const described = hoisted({ ...definition, id: undefined });
      // The last one would stand for both: a body, for instance, that says nothing of its fields.
      if (JSON.stringify(schemas[id] ?? described) !== JSON.stringify(described)) {
        throw new Error(`Two schemas have the id ${id}, or one reads otherwise as a body than as an answer`);
      }
      schemas[id] = described;
    }
    return hoisted(json);
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { contract } of endpoints) {
    const { method, path } = contract;
    paths[path] = { ...paths[path], [method]: describeOperation(contract, info, toJson) };
  }
  const used = new Set(endpoints.map(({ contract }) => contract.tag));
  const ours = Object.keys(tags).filter((tag) => used.has(tag));
  const others = [...used].filter((tag) => !(tag in tags));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Edge Auth',
      version: info.version,
      description: 'Accounts, sessions and tokens. Verify access tokens locally with the JWKS.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: info.issuer }],
    tags: [...ours, ...others].map((name) => ({ name, description: tags[name] ?? ofOlderApi })),
    paths,
    components: { schemas, headers: sharedHeaders, securitySchemes: securitySchemes(info) },
  };
}

function describeOperation(contract: Endpoint['contract'], info: DocumentInfo, toJson: ToJson): Json {
  const { operationId, summary, description, permission, tag, deprecated, body, bodyOptional, form } = contract;
  const { sentences, extension } = describeLimits(contract, info.limits);
  const needed = permission === undefined ? [] : [`Needs a role with the permission \`${permission}\`.`];
  const text = [...(description === undefined ? [] : [description]), ...needed, ...sentences].join(' ');
  const bodyTypes = ['application/json', ...(form === 'or-json' ? formTypes : [])];
  return {
    operationId,
    summary,
    ...(text === '' ? {} : { description: text }),
    tags: [tag],
    ...(deprecated === true ? { deprecated } : {}),
    security: securityOf(contract, info),
    ...extension,
    ...describeParameters(contract, toJson),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: bodyOptional !== true,
            content: Object.fromEntries(
              bodyTypes.map((type) => [type, { schema: toJson(body, 'input'), ...describeExamples(body) }]),
            ),
          },
        }),
    responses: describeResponses(contract, toJson),
  };
}

/** A token comes from anywhere, or from the password form: with that one, tools can ask for it themselves. */
function securitySchemes({ issuer, tokenPath }: DocumentInfo): Json {
  const bearer = {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` from a sign-in.',
  };
  const metrics = { type: 'http', scheme: 'bearer', description: '`METRICS_TOKEN`' };
  if (tokenPath === undefined) return { bearer, metrics };
  const flows = { password: { tokenUrl: `${issuer}${tokenPath}`, scopes: {} } };
  return {
    bearer,
    metrics,
    password: { type: 'oauth2', description: 'Sign in with a username or email address and a password.', flows },
  };
}

function securityOf({ security }: Contract, { tokenPath }: DocumentInfo): Json[] {
  if (security === undefined) return [];
  if (security === 'metrics') return [{ metrics: [] }];
  const token = [{ bearer: [] }, ...(tokenPath === undefined ? [] : [{ password: [] }])];
  return security === 'bearer' ? token : [...token, {}];
}

/** zod refers within one schema; the document keeps all named ones in one place. */
const hoisted = (json: unknown): Json =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));

/** What a look at the description of the API counts against. */
export const docsHits = async ({ call }: { readonly call: Call }) => ({
  hits: [{ policy: 'docs_address', key: await call.addressKey() } as const],
  subject: undefined,
});

/** Serves the document of what `endpoints` gives; made at the first request for it, not at start. */
export function openApiRoutes(endpoints: () => readonly Endpoint[], info: DocumentInfo): Endpoint[] {
  let document: Json | undefined;
  return [
    endpoint({
      method: 'get',
      path: '/openapi.json',
      operationId: 'openapi',
      tag: 'Operation',
      summary: 'Get this document',
      responses: { 200: { description: 'OpenAPI 3.1', schema: openApiShape } },
      errors: [],
      limits: ['docs_address'],
      prepare: docsHits,
      handler: ({ c }) => {
        document ??= openApiDocument(endpoints(), info);
        return c.json(document);
      },
    }),
  ];
}

const openApiShape = z
  .looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) })
  .meta({ examples: [{ openapi: '3.1.0', info: { title: 'Edge Auth', version: '1.0.0' }, paths: {} }] });
