import { type Schema, Validator } from '@cfworker/json-schema';
import { compatApis } from '../../src/compat/apis.ts';
import { compatNames } from '../../src/compat/names.ts';
import type { TestApp } from './test-app.ts';

interface Media {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: { readonly examples?: readonly unknown[] };
}

interface DescribedResponse {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Media | undefined>>;
}

/** One operation of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  /** The `operationId` of the operation of ours that answers, also at an older path. */
  readonly answering: string;
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, DescribedResponse | undefined>>;
  readonly 'x-rate-limits'?: readonly { readonly policy: string }[];
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path' | 'answering'>>>>>;
  readonly components: Schema;
}

const olderRows: ReadonlyMap<string, string> = new Map(
  compatNames
    .flatMap((name) => compatApis[name].rows)
    .map(({ method, path, operation }) => [`${method} ${path}`, operation] as const),
);

export async function readDocument({ request }: Pick<TestApp, 'request'>): Promise<OpenApiDocument> {
  return (await request('GET', '/openapi.json')).body;
}

export const operationsOf = ({ paths }: OpenApiDocument): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
      answering: olderRows.get(`${method} ${path}`) ?? operation.operationId,
    })),
  );

export const examplesOf = ({ examples = {} }: Media): unknown[] => Object.values(examples).map(({ value }) => value);

/** Says what is wrong with values after the schemas of a document (JSON Schema 2020-12); nothing where all is right. */
export function createChecker({ components }: OpenApiDocument) {
  const validators = new Map<Schema, Validator>();
  return (schema: Schema, value: unknown): string[] => {
    const validator = validators.get(schema) ?? new Validator({ ...schema, components }, '2020-12', false);
    validators.set(schema, validator);
    return validator.validate(value).errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  };
}
