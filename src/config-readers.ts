import * as z from 'zod';
import { connectionProblem } from './config-connections.ts';

/** A duration. */
export const seconds = (fallback: number, minimum = 1) => z.coerce.number().int().min(minimum).default(fallback);
/** Names of several words, separated by commas. */
export const words = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
/** Words that blanks or commas separate. */
export const parts = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');
/** A list, of which each entry has to be one. */
export const list = (isEntry: (entry: string) => boolean, message: string) =>
  z
    .string()
    .default('')
    .transform(parts)
    .refine((entries) => entries.every(isEntry), message);
/** Yes or no. */
export const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
/** Whether something is there at all. */
export const onOff = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['on', 'off', 'true', 'false', '1', '0'], 'Expected on or off'))
  .transform((text) => ['on', 'true', '1'].includes(text));
/** An address of the web. */
export const httpUrl = z.url({ protocol: /^https?$/, abort: true });
/** No slash at its end. */
export const withoutSlash = (text: string): string => (text.endsWith('/') ? withoutSlash(text.slice(0, -1)) : text);

/** Where a server is, with who signs in there. */
export const address = (shape: RegExp, expected: string) =>
  z
    .string()
    .regex(shape, { message: expected, abort: true })
    .superRefine((text, context) => {
      const problem = connectionProblem(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
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
