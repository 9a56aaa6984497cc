import { base64url } from 'jose';
import type { Keyring } from '../crypto/derive.ts';

const encoder = new TextEncoder();
/** Without the letters and digits that look like others (Crockford's base 32): 40 bits. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const codeLength = 8;
const tokenShape = /^[\w-]{43}$/;

/** What a mail carries: `token` in its link, `code` to type on another device; and how both are stored. */
export interface OneTimeSecret {
  readonly token: string;
  /** As people read it: `ABCD-1234`. */
  readonly code: string;
  readonly tokenHash: string;
  readonly codeHash: string;
}

/** @param id of the one-time token, which the code's hash is bound to */
export async function newOneTimeSecret(keyring: Keyring, id: string): Promise<OneTimeSecret> {
  const token = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(codeLength)), (byte) => alphabet[byte % 32]);
  const code = `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
  const [tokenHash, codeHash] = await Promise.all([hashToken(token), hashCode(keyring, id, letters.join(''))]);
  return { token, code, tokenHash: tokenHash ?? '', codeHash };
}

/**
 * SHA-256: a token holds 256 random bits, so that nothing slower or keyed is needed.
 * @returns undefined for what cannot be a token of ours
 */
export async function hashToken(token: string): Promise<string | undefined> {
  if (!tokenShape.test(token)) return undefined;
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(token))));
}

const message = (id: string, code: string) => encoder.encode(`${id}.${code}`);

async function hashCode(keyring: Keyring, id: string, code: string): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', keyring.newest.oneTimeCode, message(id, code));
  return base64url.encode(new Uint8Array(mac));
}

/** A code as it was typed, in the one form that counts: no blanks or hyphens, and letters for what looks like them. */
export function normaliseCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(code) ? code : undefined;
}

/** Whether a code is the one that was stored; compared in constant time. Keyed: 40 bits alone could be tried out. */
export async function verifyCode(
  keyring: Keyring,
  { id, codeHash }: { readonly id: string; readonly codeHash: string },
  code: string,
  now: number,
): Promise<boolean> {
  const mac = base64url.decode(codeHash);
  for (const { oneTimeCode } of keyring.accepted(now)) {
    if (await crypto.subtle.verify('HMAC', oneTimeCode, mac, message(id, code))) return true;
  }
  return false;
}
