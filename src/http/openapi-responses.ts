import * as z from 'zod';
import { type ProblemCode, problems } from '../errors.ts';
import type { Endpoint, ResponseContract } from './endpoint.ts';
import { isTold } from './openapi-limits.ts';

export type Json = Readonly<Record<string, unknown>>;
export type ToJson = (schema: z.ZodType, io: 'input' | 'output') => Json;

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What to do, in words for people'),
    code: z.string().describe('Stable identifier of the error. Use this in code'),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

const text = (description: string) => ({ description, schema: { type: 'string' } });
const integer = (description: string) => ({ description, schema: { type: 'integer' } });

/** Headers that many answers have. */
export const sharedHeaders = {
  'X-Request-Id': text('Identifies the request in the log'),
  'RateLimit-Limit': integer('Number of requests in the window of the limit that is closest to its end'),
  'RateLimit-Remaining': integer('Number of requests left'),
  'RateLimit-Reset': integer('Seconds until the window ends'),
  'Retry-After': integer('Seconds to wait before you try again'),
  'WWW-Authenticate': text('The challenge of RFC 6750, or of RFC 9470 if the user has to confirm the password'),
};

const refer = (...names: (keyof typeof sharedHeaders)[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** The examples of a schema as those of a media type. */
export function describeExamples(schema: z.ZodType): Json {
  const examples = schema.meta()?.examples ?? [];
  if (!Array.isArray(examples) || examples.length === 0) return {};
  return { examples: Object.fromEntries(examples.map((value: unknown, index) => [`example_${index + 1}`, { value }])) };
}

/** Errors that every endpoint may answer with, by what it takes and counts. */
function commonErrors({ body, params, query, limits = [] }: Endpoint['contract']): ProblemCode[] {
  const ofBody: ProblemCode[] = ['invalid_json', 'unsupported_media_type', 'body_too_large', 'validation_failed'];
  return [
    ...(params === undefined ? [] : ['not_found' as const]),
    ...(query === undefined ? [] : ['validation_failed' as const]),
    ...(body === undefined ? [] : ofBody),
    ...(limits.length === 0 ? [] : ['rate_limited' as const]),
    'internal_error',
    'overloaded',
    'unavailable',
  ];
}

/** Every answer of an endpoint by its status. */
export function describeResponses(contract: Endpoint['contract'], toJson: ToJson): Json {
  const limitHeaders = isTold(contract) ? refer('RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset') : {};
  const problem = toJson(problemSchema, 'output');
  const refused = describeProblems([...contract.errors, ...commonErrors(contract)], problem, limitHeaders);
  const answers = Object.entries(contract.responses).map(([status, response]) => {
    const { description, headers, content = {} } = describeResponse(response, toJson, limitHeaders);
    const error = refused[status];
    // One status may stand for an answer of the endpoint's own, and for a problem.
    const both =
      error === undefined
        ? { description, headers }
        : { description: `${description}. ${error.description}`, headers: { ...headers, ...error.headers } };
    const all = { ...content, ...error?.content };
    return [status, Object.keys(all).length === 0 ? both : { ...both, content: all }];
  });
  return { ...refused, ...Object.fromEntries(answers) };
}

interface Described {
  readonly description: string;
  readonly headers: Json;
  readonly content?: Json;
}

function describeResponse(
  { description, schema, headers = {}, type = 'application/json' }: ResponseContract,
  toJson: ToJson,
  limitHeaders: Json,
): Described {
  const own = Object.entries(headers).map(([name, meaning]) => [name, text(meaning)]);
  const media =
    schema === undefined
      ? { schema: { type: 'string' } }
      : { schema: toJson(schema, 'output'), ...describeExamples(schema) };
  return {
    description,
    headers: { ...Object.fromEntries(own), ...limitHeaders, ...refer('X-Request-Id') },
    ...(schema === undefined && type === 'application/json' ? {} : { content: { [type]: media } }),
  };
}

/** Errors of one status share a response that lists their codes, with an example of each. */
function describeProblems(
  codes: readonly ProblemCode[],
  problem: Json,
  limitHeaders: Json,
): Record<string, Described | undefined> {
  const byStatus = Map.groupBy(new Set(codes), (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${problems[code].title}`).join('. '),
        headers: {
          ...(status === 401 ? refer('WWW-Authenticate') : {}),
          ...(status === 429 ? { ...limitHeaders, ...refer('Retry-After') } : {}),
          ...(status === 503 ? refer('Retry-After') : {}),
          ...refer('X-Request-Id'),
        },
        content: {
          'application/problem+json': {
            schema: problem,
            examples: Object.fromEntries(group.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      },
    ]),
  );
}

function exampleOf(code: ProblemCode): Json {
  const { status, title, detail } = problems[code];
  const errors =
    code === 'validation_failed'
      ? { errors: [{ path: 'email', message: 'Enter an email address such as ann@example.com' }] }
      : {};
  return {
    type: 'about:blank',
    title,
    status,
    detail,
    code,
    request_id: '0f1e2d3c-4b5a-4968-8776-655443322110',
    ...errors,
  };
}
