import { timingSafeEqual } from 'node:crypto';
import type { Digest, HashLimits } from '../hashing.ts';
import { decodeBase64, decodeHex, encodeBase64 } from './base64.ts';
import { type ForeignHash, type ReadHash, type RefusedHash, refuse } from './scheme.ts';

/** Bytes that one block gives. */
const digestLength: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };
/** Iterations that a core makes in a millisecond, roughly: on Workers they are JavaScript, and as many as that or fewer. */
const iterationsPerMillisecond: Readonly<Record<Digest, number>> = { sha1: 1500, sha256: 1500, sha512: 1000 };

/** What RFC 2898 asked for in the year 2000. */
const minIterations = 1000;

// The one spelling, which Kratos has too. passlib has the number alone, and calls SHA-1 nothing.
const phc = /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?([1-9]\d{0,8})(?:,l=\d{1,3})?\$([^$]+)\$([^$]+)$/;
const django = /^pbkdf2_(sha1|sha256)\$([1-9]\d{0,8})\$([^$]{1,128})\$([^$]+)$/;
const werkzeug = /^pbkdf2:(sha1|sha256|sha512):([1-9]\d{0,8})\$([^$]{1,128})\$([0-9a-f]{32,128})$/;
const ldap = /^\{PBKDF2(?:-(SHA1|SHA256|SHA512))?\}([1-9]\d{0,8})\$([^$]+)\$([^$]+)$/i;
const encoder = new TextEncoder();

/** PBKDF2 (RFC 8018): PHC strings as Kratos and passlib write them, Django's, Werkzeug's and OpenLDAP's. */
export const readPbkdf2: ReadHash = (text, limits) => {
  const coded = phc.exec(text) ?? ldap.exec(text);
  if (coded !== null) {
    const [, digest = 'sha1', iterations, salt = '', key = ''] = coded;
    return toPbkdf2(toDigest(digest), Number(iterations), decodeBase64(salt), decodeBase64(key), limits);
  }
  const [, djangoDigest, rounds, djangoSalt, djangoKey = ''] = django.exec(text) ?? [];
  if (djangoDigest !== undefined) {
    const salt = encoder.encode(djangoSalt);
    return toPbkdf2(toDigest(djangoDigest), Number(rounds), salt, decodeBase64(djangoKey), limits);
  }
  const [, digest, iterations, salt, hex = ''] = werkzeug.exec(text) ?? [];
  if (digest === undefined) return undefined;
  return toPbkdf2(toDigest(digest), Number(iterations), encoder.encode(salt), decodeHex(hex), limits);
};

const toDigest = (name: string): Digest => {
  const lower = name.toLowerCase();
  return lower === 'sha512' ? 'sha512' : lower === 'sha256' ? 'sha256' : 'sha1';
};

/** A hash of these parts, or why it is none. */
export function toPbkdf2(
  digest: Digest,
  iterations: number,
  salt: Uint8Array | null,
  key: Uint8Array | null,
  { runtime, pbkdf2Iterations }: HashLimits,
): ForeignHash | RefusedHash {
  if (salt === null || key === null) return refuse('Not base64 in the salt or the hash');
  if (salt.length > 128 || key.length < 16 || key.length > 128) {
    return refuse('PBKDF2 with a salt of more than 128 bytes, or a hash of other than 16 to 128');
  }
  const max = pbkdf2Iterations[digest];
  if (iterations > max) {
    return refuse(`PBKDF2 with ${digest} and ${iterations} iterations: ${runtime} verifies ${max} at most`);
  }
  // Each block is computed by itself: a key that is longer than the digest costs its owner more, and who guesses not.
  const first = key.subarray(0, digestLength[digest]);
  return {
    stored: `$pbkdf2-${digest}$i=${iterations},l=${first.length}$${encodeBase64(salt)}$${encodeBase64(first)}`,
    form: 'typed',
    cost: iterations / iterationsPerMillisecond[digest],
    isLarge: false,
    weakness:
      iterations < minIterations
        ? `PBKDF2 with ${iterations} iterations protects no password: ${minIterations} are the least that is taken`
        : undefined,
    async matches(password, { pbkdf2 }) {
      return timingSafeEqual(await pbkdf2({ digest, password, salt, iterations, length: first.length }), first);
    },
  };
}
