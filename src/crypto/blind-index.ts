import { base64url } from 'jose';
import type { Keyring } from './derive.ts';

const encoder = new TextEncoder();

/**
 * Keyed hashes that find a value without storing it: HMAC-SHA-256 over its kind and its normalised form.
 * @param kind keeps an email and a phone number of the same text apart
 * @returns one index for each secret, newest first: look up with all, store the first
 */
export async function blindIndexes(
  keyring: Keyring,
  kind: 'email' | 'phone' | 'username',
  normalised: string,
): Promise<[string, ...string[]]> {
  const message = encoder.encode(`${kind}\0${normalised}`);
  const index = async (key: CryptoKey) =>
    base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, message)));
  const [newest, ...older] = keyring.all;
  return [await index(newest.blindIndex), ...(await Promise.all(older.map((keys) => index(keys.blindIndex))))];
}
