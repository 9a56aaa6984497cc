import type { Config } from '../config.ts';
import { bearerOf } from '../http/admission.ts';
import type { BodyReading } from '../http/body.ts';
import type { Contract } from '../http/contract.ts';
import type { Endpoint, Translation } from '../http/endpoint.ts';
import { compatApis } from './apis.ts';
import { oldAnswer, oldBody } from './describe.ts';
import type { CompatName } from './names.ts';
import type { Row, Table } from './table.ts';
import { inOldWords, toOurWords, withOldNames } from './words.ts';

/** What `DOCS=off` leaves out, at older paths too. */
const ofDocs: ReadonlySet<string> = new Set(['docs', 'redoc', 'openapi']);

/**
 * The endpoints of the older APIs that are on (`COMPAT_APIS`), each made of the operation that its row names.
 * @throws {Error} where a row names an operation that is not there
 */
export function compatRoutes(
  { compatApis: names, docs }: Pick<Config, 'compatApis' | 'docs'>,
  operations: readonly Endpoint[],
): Endpoint[] {
  const byId = new Map(operations.map((operation) => [operation.contract.operationId, operation]));
  return names.flatMap((name) =>
    compatApis[name].rows.flatMap((row) => {
      const operation = byId.get(row.operation);
      if (operation !== undefined) return [older(name, compatApis[name], row, operation)];
      if (!docs && ofDocs.has(row.operation)) return [];
      throw new Error(`No operation ${row.operation}`);
    }),
  );
}

/** Where a token can be had with the password form of RFC 6749 section 4.3.2; undefined where no API that is on has it. */
export const passwordFormPath = ({ compatApis: names }: Pick<Config, 'compatApis'>): string | undefined =>
  names.flatMap((name) => compatApis[name].rows).find(({ form, fixed }) => form && fixed?.['grant_type'] === 'password')
    ?.path;

/** An operation at an older path: the same parse, limits, guard and handler, with the words changed before and after. */
function older(name: CompatName, { limit }: Table, row: Row, { contract, handle }: Endpoint): Endpoint {
  const { method, path } = row;
  const { anyRequest: _, description = '', ...same } = contract;
  const ours = contract.path === path ? '' : `Same as \`${contract.method.toUpperCase()} ${contract.path}\`. `;
  const reading: BodyReading = {
    bodyOptional: contract.bodyOptional === true || row.bearer !== undefined,
    ...(row.form === undefined ? {} : { form: 'or-json' }),
  };
  return {
    contract: {
      ...same,
      ...reading,
      method,
      path,
      operationId: `${name}_${method}_${path}`.replaceAll(/\W+/g, '_'),
      tag: `Older API: ${name}`,
      description: `${ours}${description}`.trimEnd(),
      deprecated: true,
      ...(limit === undefined ? {} : { limits: [...(contract.limits ?? []), limit] }),
      // Made with the document, and not at start: it takes a while.
      get body() {
        return contract.body && oldBody(row, contract.body);
      },
      get responses() {
        return oldResponses(row, contract.responses);
      },
    },
    async handle(c, admission) {
      const told = new Map<string, string>();
      const translation: Translation = {
        ...reading,
        translate: (body) => toOurWords(row, body, bearerOf(c.req.header('Authorization')), told),
        hits: async (call) =>
          limit === undefined ? [] : [{ policy: limit, key: `${path}:${await call.addressKey()}` }],
      };
      try {
        const answer = await handle(c, admission, translation);
        // Any page can send a form, and shall not replace the cookie of whoever opens it.
        if (row.form === true) answer.headers.delete('Set-Cookie');
        return await withOldNames(row, answer);
      } catch (error) {
        throw inOldWords(error, told);
      }
    },
  };
}

function oldResponses(row: Row, responses: Contract['responses']): Contract['responses'] {
  const described = Object.entries(responses).map(([status, response]) => {
    const { schema, headers = {} } = response;
    const { 'Set-Cookie': _, ...withoutCookie } = headers;
    const told = { ...response, headers: row.form === true ? withoutCookie : headers };
    return [status, schema === undefined ? told : { ...told, schema: oldAnswer(row, schema) }];
  });
  return Object.fromEntries(described);
}
