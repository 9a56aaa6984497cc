import type * as z from 'zod';
import { Problem } from '../errors.ts';
import { ownWords } from '../validation.ts';
import { invalid, orNothing } from './body.ts';
import type { RequestContext } from './context.ts';

/**
 * Reads the parameters of the path.
 * @throws {Problem} `not_found`: at an address of another shape there is nothing
 */
export function parseParams<Params>(c: RequestContext, schema: z.ZodType<Params> | undefined): Params {
  const parsed = orNothing(schema).safeParse(schema === undefined ? undefined : c.req.param());
  if (parsed.success) return parsed.data;
  throw new Problem('not_found', { reason: 'malformed path parameter' });
}

/**
 * Reads the parameters of the query. Those that the endpoint does not know are ignored; one that stands twice is an
 * error where the endpoint expects one value.
 * @throws {Problem} `validation_failed`, naming every wrong parameter
 */
export function parseQuery<Query>(c: RequestContext, schema: z.ZodType<Query> | undefined): Query {
  const parsed = orNothing(schema).safeParse(schema === undefined ? undefined : readQuery(c.req.url), {
    error: ownWords,
  });
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

function readQuery(url: string): unknown {
  const { searchParams } = new URL(url);
  const byName = Map.groupBy(searchParams, ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, pairs]) => {
      const [first, ...others] = pairs.map(([, value]) => value);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}
