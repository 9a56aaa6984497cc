import { base64url } from 'jose';
import type { Keyring } from './derive.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const nonceLength = 12;

/** A sealed value cannot be opened: unknown secret, wrong place, or changed bytes. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Encrypts a text with AES-256-GCM (NIST SP 800-38D) under the newest secret.
 * @param place where the value will stand, such as `users.email:<id>`: a value moved elsewhere does not open
 * @returns `<key id>.<base64url of nonce and ciphertext>`
 */
export async function seal(keyring: Keyring, place: string, text: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceLength));
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: encoder.encode(place) };
  const ciphertext = await crypto.subtle.encrypt(algorithm, keyring.newest.seal, encoder.encode(text));
  const bytes = new Uint8Array(nonceLength + ciphertext.byteLength);
  bytes.set(nonce);
  bytes.set(new Uint8Array(ciphertext), nonceLength);
  return `${keyring.newest.id}.${base64url.encode(bytes)}`;
}

/**
 * Opens what `seal` made, under whichever secret of the ring sealed it.
 * @throws {SealError}
 */
export async function unseal(keyring: Keyring, place: string, sealed: string): Promise<string> {
  const [id, encoded, ...rest] = sealed.split('.');
  const keys = keyring.all.find((candidate) => candidate.id === id);
  if (keys === undefined || encoded === undefined || rest.length > 0)
    throw new SealError('Sealed under a secret that is not configured');
  try {
    const bytes = base64url.decode(encoded);
    const algorithm = {
      name: 'AES-GCM',
      iv: bytes.subarray(0, nonceLength),
      additionalData: encoder.encode(place),
    };
    return decoder.decode(await crypto.subtle.decrypt(algorithm, keys.seal, bytes.subarray(nonceLength)));
  } catch {
    throw new SealError('The sealed value was changed or moved');
  }
}
