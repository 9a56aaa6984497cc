import * as z from 'zod';
import { connectionProblem } from './config-connections.ts';

/** A whole number. @param unit what it counts */
export function whole(min: number, max = Number.POSITIVE_INFINITY, unit = '') {
  const range = Number.isFinite(max) ? ` from ${min} to ${max}` : `, at least ${min}`;
  const message = `Must be a whole number${unit === '' ? '' : ` of ${unit}`}${range}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message);
}
/** A duration. */
export const seconds = (fallback: number, minimum = 1) => whole(minimum, undefined, 'seconds').default(fallback);
/** One of these words. */
export const oneOf = <const Words extends readonly [string, string, ...string[]]>(...names: Words) =>
  z.enum(names, `Must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`);
/** Names of several words, separated by commas. */
export const words = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
/** Words that blanks or commas separate. */
export const parts = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');
/**
 * A list, of which each entry has to be one.
 * @param fault what is wrong with an entry, where more can be said than `message`: never any of it
 */
export const list = (
  isEntry: (entry: string) => boolean,
  message: string,
  fault: (entry: string) => string | undefined = () => undefined,
) =>
  z
    .string()
    .default('')
    .transform(parts)
    .superRefine((entries, context) => {
      for (const [index, entry] of entries.entries()) {
        if (isEntry(entry)) continue;
        const more = fault(entry);
        const place = `entry ${index + 1}`;
        context.addIssue({ code: 'custom', message: more === undefined ? `${place}: ${message}` : `${place} ${more}` });
      }
    });
/** Yes or no. */
export const flag = z
  .enum(['true', 'false', '1', '0'], 'Must be true or false')
  .transform((text) => /true|1/.test(text));
/** Whether something is there at all. */
export const onOff = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['on', 'off', 'true', 'false', '1', '0'], 'Must be on or off'))
  .transform((text) => ['on', 'true', '1'].includes(text));
/** An address of the web. */
export const httpUrl = z.url({
  protocol: /^https?$/,
  abort: true,
  error: 'Must be a web address, such as https://host',
});
/** No slash at its end. */
export const withoutSlash = (text: string): string => (text.endsWith('/') ? withoutSlash(text.slice(0, -1)) : text);

/** Where a server is, with who signs in there. */
export const address = (shape: RegExp, expected: string) =>
  z
    .string()
    .regex(shape, { message: expected, abort: true })
    .superRefine((text, context) => {
      const problem = connectionProblem(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, continue: false });
    });

/** `Name <address>` or an address alone. */
export const mailFrom = z
  .string()
  .regex(/^(?:[^<>\p{Cc}]{1,100}<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u, 'Expected Name <address>');

/** What Python's logging calls them otherwise. */
export const pythonLevels = new Map([
  ['warning', 'warn'],
  ['critical', 'error'],
]);

/** As RFC 6750 section 2.1 lets a client send it, and too long to guess. */
export const isBearerToken = (text: string) => /^[\w.~+/-]{16,512}=*$/.test(text);

/** `name=value,name=value`, the values percent-encoded. */
export function readOtelHeaders(text: string, context: z.RefinementCtx): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [first = '', ...others] = pair.split('=');
    const [name, value] = [first.trim(), others.join('=').trim()];
    const isWritten = others.length > 0 && /^[\w-]+$/.test(name) && /^[\w!#$%&'*+./:;<=>?@^`|~ -]*$/.test(value);
    if (!isWritten || /%(?![0-7][0-9a-f])|%[01][0-9a-f]|%7f/i.test(value)) {
      context.addIssue({ code: 'custom', message: 'Expected name=value,name=value with percent-encoded values' });
      return z.NEVER;
    }
    headers[name] = decodeURIComponent(value);
  }
  return headers;
}
