import { base64url } from 'jose';

/**
 * Reads base64 as other systems write it: the standard or the URL-safe alphabet, or passlib's with its dot, padded or not.
 * @returns null for anything else, and where the bits past the last byte are not zero
 */
export function decodeBase64(text: string): Uint8Array | null {
  const plain = text.replace(/={1,2}$/, '').replaceAll('.', '+');
  if (!/^[\w+/-]+$/.test(plain) || plain.length % 4 === 1) return null;
  if (text.length > plain.length && text.length % 4 !== 0) return null;
  const url = toUrl(plain);
  const bytes = base64url.decode(url);
  return base64url.encode(bytes) === url ? bytes : null;
}

/** Standard base64 without padding, as in PHC strings. */
export const encodeBase64 = (bytes: Uint8Array): string => toStandard(base64url.encode(bytes));

export const toStandard = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '/');
export const toUrl = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');

export function decodeHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
