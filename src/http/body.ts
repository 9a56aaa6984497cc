import * as z from 'zod';
import { Problem } from '../errors.ts';
import { ownWords } from '../validation.ts';
import type { RequestContext } from './context.ts';
import { refuseNul } from './text.ts';

const isJson = (type: string | undefined) => /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type ?? '');
const isUrlEncoded = (type: string | undefined) => /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type ?? '');
const isMultipart = (type: string | undefined) => /^multipart\/form-data\s*;/i.test(type ?? '');

/** How a body is read before it is validated. */
export interface BodyReading {
  /** An empty body counts as `{}`, whatever type it claims. */
  readonly bodyOptional?: boolean;
  /** The body is what a browser sends of a form, and not JSON; or it is JSON or a form of either type. */
  readonly form?: boolean | 'or-json';
  /** Puts what was read into the words of the schema. */
  readonly translate?: (read: unknown) => unknown;
}

/**
 * Reads and validates a body: JSON, or what a browser sends of a form.
 * @returns undefined where the endpoint takes no body
 * @throws {Problem} `unsupported_media_type`, `invalid_json`, or `validation_failed` naming every wrong field
 */
export async function parseBody<Body>(
  c: RequestContext,
  {
    body: schema,
    bodyOptional = false,
    form = false,
    translate = (read) => read,
  }: BodyReading & { body?: z.ZodType<Body> },
): Promise<Body> {
  const type = c.req.header('Content-Type');
  const read = async () => {
    if (form === 'or-json' && isMultipart(type)) return await readMultipart(c);
    return await (form === true || (form === 'or-json' && isUrlEncoded(type))
      ? readForm(c)
      : readJson(c, bodyOptional));
  };
  if (schema !== undefined) refuseEncoded(c.req.header('Content-Encoding'));
  const given = schema === undefined ? undefined : translate(await read());
  refuseNul(given);
  const parsed = await orNothing(schema).safeParseAsync(given, { error: ownWords });
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

/** A body is read as it comes: one that was packed could be a thousand times as large (RFC 9110 section 15.5.16). */
function refuseEncoded(encoding: string | undefined): void {
  if (/^(?:identity)?$/i.test(encoding?.trim() ?? '')) return;
  const detail = 'Send the body without a Content-Encoding.';
  throw new Problem('unsupported_media_type', { detail, headers: { 'Accept-Encoding': 'identity' } });
}

/** Without a schema the type is undefined; the parse says so to the compiler. */
export const orNothing = <Value>(schema: z.ZodType<Value> | undefined): z.ZodType<Value> =>
  schema ?? z.custom<Value>((value) => value === undefined);

/** Names every field that is wrong. */
export function invalid({ issues }: z.ZodError): Problem {
  const errors = issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
  return new Problem('validation_failed', { errors });
}

async function readBytes(c: RequestContext): Promise<ArrayBuffer> {
  return await c.req.arrayBuffer().catch((error: unknown) => {
    // Too large is for the middleware that limits it; otherwise the client hung up before the end.
    throw error instanceof Error && error.name === 'BodyLimitError' ? error : new Problem('client_closed_request');
  });
}

async function readForm(c: RequestContext): Promise<unknown> {
  const bytes = await readBytes(c);
  if (!isUrlEncoded(c.req.header('Content-Type'))) throw new Problem('unsupported_media_type');
  return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)));
}

/** A form as `FormData` sends it (RFC 7578). */
async function readMultipart(c: RequestContext): Promise<unknown> {
  const headers = { 'Content-Type': c.req.header('Content-Type') ?? '' };
  const form = await new Response(await readBytes(c), { headers }).formData().catch(() => {
    throw new Problem('validation_failed', { errors: [{ path: '', message: 'Is not a complete form' }] });
  });
  return Object.fromEntries(form);
}

async function readJson(c: RequestContext, optional: boolean): Promise<unknown> {
  const bytes = await readBytes(c);
  const type = c.req.header('Content-Type');
  // Where fields are needed, the schema names those that are missing.
  if (bytes.byteLength === 0 && (optional || type === undefined || isJson(type))) return {};
  if (!isJson(type)) throw new Problem('unsupported_media_type');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new Problem('invalid_json');
  }
}
