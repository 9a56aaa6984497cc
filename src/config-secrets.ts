import { base64url } from 'jose';
import * as z from 'zod';

export const howToMake = 'Make one with: openssl rand -base64 32';

/** Long and varied enough for development, and for a secret that only opens what it once sealed. */
const isSecret = (text: string) => text.length >= 32 && new Set(text).size > 5;
const parts = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');

/** The one secret that makes everything new. What it has to be outside development `secretProblem` says. */
export const rootSecret = z
  .string()
  .transform((text) => text.trim())
  .refine((text) => parts(text).length <= 1, {
    message: 'Contains several secrets. Keep the newest here, and move the others to AUTH_SECRET_PREVIOUS',
    abort: true,
  })
  .refine(isSecret, `Needs 32 random bytes. ${howToMake}`);

/** Older secrets, newest first. */
export const previousSecrets = z
  .string()
  .default('')
  .transform(parts)
  .pipe(
    z
      .array(z.string().refine(isSecret, 'Each needs at least 32 characters'))
      .max(4, 'Expected at most four secrets')
      .refine((secrets) => new Set(secrets).size === secrets.length, 'Contains the same secret twice'),
  );

/** A day or a moment of it, as milliseconds. */
export const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], 'Expected a date such as 2026-12-01 or 2026-12-01T12:00:00Z')
  .transform((text) => Date.parse(text));

/** Words that stand in examples, and rows of keys. Random text holds one of them once in ten million secrets. */
const placeholder =
  /change.?me|changeit|password|passwort|secret|example|placeholder|generate|openssl|random|default|replace|insert|abcdefg|qwerty|0123456|1234567/i;

/**
 * What is wrong with a root secret where it protects real accounts: it has to be 32 to 64 random bytes in hex, base64 or
 * base64url. A secret that somebody made up, or copied from an example, can be guessed.
 * @returns a sentence without the secret, or undefined where nothing is wrong
 */
export function secretProblem(text: string): string | undefined {
  const isHex = /^[0-9a-f]+$/i.test(text);
  const bytes = isHex ? hexBytes(text) : base64Bytes(text);
  if (bytes === undefined || bytes.length < 32 || bytes.length > 64) {
    return `Must be 32 random bytes in hex or base64. ${howToMake}`;
  }
  // Of 32 random bytes about 30 differ, and so do the steps between them; fewer than 20 do once in a million secrets.
  const steps = bytes.map((byte, index) => byte - (bytes[index - 1] ?? 0));
  const isVaried = [bytes, steps].every((each) => new Set(each.subarray(0, 32)).size >= 20);
  const hasBothCases = isHex || (/[a-z]/.test(text) && /[A-Z]/.test(text));
  if (!isVaried || !hasBothCases || placeholder.test(text) || repeats(text, isHex ? 10 : 6)) {
    return `Is a placeholder, or not random. ${howToMake}`;
  }
  return undefined;
}

const hexBytes = (text: string) =>
  text.length % 2 === 0 ? Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) : undefined;

function base64Bytes(text: string): Uint8Array | undefined {
  const bare = text
    .replace(/={1,2}$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  return /^[\w-]+$/.test(bare) && bare.length % 4 !== 1 ? base64url.decode(bare) : undefined;
}

/** Whether a part of this length stands in it twice, as in `abcabcabc…`. */
function repeats(text: string, length: number): boolean {
  const seen = new Set<string>();
  for (let start = 0; start + length <= text.length; start += 1) {
    const part = text.slice(start, start + length).toLowerCase();
    if (seen.has(part)) return true;
    seen.add(part);
  }
  return false;
}
