import { base64url } from 'jose';
import type { Keyring } from '../crypto/derive.ts';

const encoder = new TextEncoder();
/** The last letter of 32 bytes in base64url has two spare bits; they are zero, so that a token has one spelling. */
const shape =
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9]\d{0,8})(?:\.([1-9]\d{0,10}))?\.([\w-]{42}[AEIMQUYcgkosw048])$/;

export interface RefreshTokenParts {
  readonly sessionId: string;
  /** Counts the rotations of the session: 0 for the first token. */
  readonly generation: number;
  /** When the user proved who they are anew, in this line of tokens: whole seconds as milliseconds. */
  readonly authenticatedAt?: number | undefined;
}

/** What a token says, and its MAC is over. */
const textOf = ({ sessionId, generation, authenticatedAt }: RefreshTokenParts) =>
  [sessionId, generation, ...(authenticatedAt === undefined ? [] : [authenticatedAt / 1000])].join('.');
const message = (parts: RefreshTokenParts) => encoder.encode(textOf(parts));

/**
 * A refresh token: `<session id>.<generation>.<HMAC-SHA-256 over both>`, with the time of a new proof of the password,
 * in seconds, before the HMAC where there was one. Deterministic, so that a repeated refresh
 * gives the same successor again and no second branch of the session comes into being.
 */
export async function issueRefreshToken(keyring: Keyring, parts: RefreshTokenParts): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', keyring.newest.refreshToken, message(parts));
  return `${textOf(parts)}.${base64url.encode(new Uint8Array(mac))}`;
}

/**
 * Checks that we issued a refresh token, without the database.
 * @param now milliseconds: a token of an older secret may have run out with it
 * @returns its parts, or undefined for a forged or malformed one
 */
export async function verifyRefreshToken(
  keyring: Keyring,
  token: string,
  now: number,
): Promise<RefreshTokenParts | undefined> {
  const [, sessionId, generation, provedAt, mac] = shape.exec(token) ?? [];
  if (sessionId === undefined || mac === undefined) return undefined;
  const line = provedAt === undefined ? {} : { authenticatedAt: Number(provedAt) * 1000 };
  const parts = { sessionId, generation: Number(generation), ...line };
  const bytes = base64url.decode(mac);
  for (const keys of keyring.accepted(now)) {
    // WebCrypto compares MACs in constant time.
    if (await crypto.subtle.verify('HMAC', keys.refreshToken, bytes, message(parts))) return parts;
  }
  return undefined;
}
