import * as z from 'zod';
import { Problem } from '../errors.ts';
import { ownWords } from '../validation.ts';
import { invalid, orNothing } from './body.ts';
import type { RequestContext } from './context.ts';
import { holdsNul, refuseNul } from './text.ts';

/**
 * Reads the parameters of the path.
 * @throws {Problem} `not_found`: at an address of another shape there is nothing
 */
export function parseParams<Params>(c: RequestContext, schema: z.ZodType<Params> | undefined): Params {
  const given: Readonly<Record<string, string>> | undefined = schema === undefined ? undefined : c.req.param();
  const parsed = orNothing(schema).safeParse(given);
  if (parsed.success && !Object.values(given ?? {}).some(holdsNul)) return parsed.data;
  throw new Problem('not_found', { reason: 'malformed path parameter' });
}

/**
 * Reads the parameters of the query. One that the endpoint does not know is an error, since a filter that is ignored
 * would show everything; so is one that stands twice where the endpoint expects one value. An endpoint without
 * parameters looks at none.
 * @throws {Problem} `validation_failed`, naming every wrong parameter
 */
export function parseQuery<Query>(c: RequestContext, schema: z.ZodType<Query> | undefined): Query {
  const given = schema === undefined ? undefined : readQuery(c.req.url);
  refuseNul(given);
  if (schema instanceof z.ZodObject) refuseUnknown(Object.keys(given ?? {}), Object.keys(schema.shape));
  const parsed = orNothing(schema).safeParse(given, { error: ownWords });
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

function refuseUnknown(names: readonly string[], known: readonly string[]): void {
  const errors = names
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: name.slice(0, 100), message: `Unknown parameter. This path takes ${known.join(', ')}` }));
  if (errors.length > 0) throw new Problem('validation_failed', { errors: errors.slice(0, 20) });
}

function readQuery(url: string): Readonly<Record<string, unknown>> {
  const { searchParams } = new URL(url);
  const byName = Map.groupBy(searchParams, ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, pairs]) => {
      const [first, ...others] = pairs.map(([, value]) => value);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}
