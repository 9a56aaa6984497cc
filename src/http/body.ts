import * as z from 'zod';
import { Problem } from '../errors.ts';
import type { RequestContext } from './context.ts';

const isJson = (type: string | undefined) => /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type ?? '');

/**
 * Reads and validates a JSON body.
 * @returns undefined where the endpoint takes no body
 * @throws {Problem} `unsupported_media_type`, `invalid_json`, or `validation_failed` naming every wrong field
 */
export async function parseBody<Body>(
  c: RequestContext,
  schema: z.ZodType<Body> | undefined,
  optional: boolean,
): Promise<Body> {
  const parsed = await orNothing(schema).safeParseAsync(schema === undefined ? undefined : await readJson(c, optional));
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

/** Without a schema the type is undefined; the parse says so to the compiler. */
export const orNothing = <Value>(schema: z.ZodType<Value> | undefined): z.ZodType<Value> =>
  schema ?? z.custom<Value>((value) => value === undefined);

/** Names every field that is wrong. */
export function invalid({ issues }: z.ZodError): Problem {
  const errors = issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
  return new Problem('validation_failed', { errors });
}

async function readJson(c: RequestContext, optional: boolean): Promise<unknown> {
  const bytes = await c.req.arrayBuffer().catch((error: unknown) => {
    // Too large is for the middleware that limits it; otherwise the client hung up before the end.
    throw error instanceof Error && error.name === 'BodyLimitError' ? error : new Problem('client_closed_request');
  });
  if (bytes.byteLength === 0 && optional) return {};
  if (!isJson(c.req.header('Content-Type'))) throw new Problem('unsupported_media_type');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new Problem('invalid_json');
  }
}
