import { base64url } from 'jose';
import type { Keyring } from './derive.ts';
import { seal, unseal } from './seal.ts';

/**
 * A password hash whose pepper belongs to a secret that retires: sealed under a newer secret, with its pepper. The hash
 * itself cannot be made anew without the password, which only its owner brings.
 */
const prefix = '$sealed$';
const place = 'users.password_hash';

export interface OpenedHash {
  /** As it stood before. */
  readonly hash: string;
  /** The pepper that it was made with, as bytes. */
  readonly pepper: Uint8Array<ArrayBuffer>;
}

export const isSealedHash = (stored: string) => stored.startsWith(prefix);

/** @returns `$sealed$<key id>.<base64url>`, to be stored in place of the hash */
export async function sealHash(keyring: Keyring, { hash, pepper }: OpenedHash): Promise<string> {
  return `${prefix}${await seal(keyring, place, `${base64url.encode(pepper)} ${hash}`)}`;
}

/** @returns undefined where no configured secret opens it */
export async function openHash(keyring: Keyring, stored: string): Promise<OpenedHash | undefined> {
  const text = await unseal(keyring, place, stored.slice(prefix.length)).catch(() => undefined);
  const [, pepper, hash] = /^([\w-]{43}) (.+)$/.exec(text ?? '') ?? [];
  if (pepper === undefined || hash === undefined) return undefined;
  return { hash, pepper: Uint8Array.from(base64url.decode(pepper)) };
}

/** The pepper as the key that it was. */
export const importPepper = (bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
