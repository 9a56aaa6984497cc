import { base64url } from 'jose';
import { type Argon2Input, isWithinArgon2Limits } from './argon2.ts';

/** Argon2 in the PHC string format. With a `keyId`, the tag is the pepper's HMAC over Argon2's tag. */
export interface Argon2Hash {
  readonly algorithm: 'argon2';
  readonly parameters: Omit<Argon2Input, 'password'>;
  readonly tag: Uint8Array;
  readonly keyId: string | undefined;
}

/** scrypt (RFC 7914) in the PHC string format. */
export interface ScryptHash {
  readonly algorithm: 'scrypt';
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

export interface BcryptHash {
  readonly algorithm: 'bcrypt';
  readonly encoded: string;
}

export type StoredHash = Argon2Hash | ScryptHash | BcryptHash;

// The PHC string format, exactly: numbers without leading zeros, parameters in the order of the specification, a keyid
// of at most 8 bytes. A hash without a version is one of the first, 0x10.
const argon2 =
  /^\$(argon2(?:id|i|d))(?:\$v=(16|19))?\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,9})(?:,keyid=([A-Za-z0-9+/]{1,11}))?\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const scrypt = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d{0,5}),p=([1-9]\d{0,5})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

// Cost 4 to 14, then 16 bytes of salt and 23 of hash. The last character of each carries 2 and 4 bits: no other one is
// canonical. $2x$ marks hashes of a broken implementation, and $2$ is older than the terminating zero byte.
const bcrypt = /^\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/;

const LONGEST = 512;
const PEPPERED_TAG_LENGTH = 32;

/**
 * Reads what the database or another system holds for a password.
 * @returns null for anything malformed, and for parameters that would cost too much to verify (Argon2: `argon2Limits`;
 *   scrypt: N*r*p of 2^20, the most Workers compute, which is 128 MiB; bcrypt: cost 14). Nothing is hashed or allocated before.
 */
export function parseStoredHash(stored: string): StoredHash | null {
  if (stored.length > LONGEST) return null;
  if (bcrypt.test(stored)) return { algorithm: 'bcrypt', encoded: stored };
  return parseArgon2(stored) ?? parseScrypt(stored);
}

/** Writes `$argon2id$v=19$m=,t=,p=,keyid=$salt$tag` (PHC string format). Takes the key id as base64url. */
export function formatArgon2Hash({ parameters, keyId, tag }: Argon2Hash): string {
  const { type, version, memory, iterations, parallelism, salt } = parameters;
  const key = keyId === undefined ? '' : `,keyid=${toStandard(keyId)}`;
  return `$${type}$v=${version}$m=${memory},t=${iterations},p=${parallelism}${key}$${encode(salt)}$${encode(tag)}`;
}

function parseArgon2(stored: string): Argon2Hash | null {
  const [, type, version = '16', memory, iterations, parallelism, key, saltText = '', tagText = ''] =
    argon2.exec(stored) ?? [];
  const salt = decode(saltText);
  const tag = decode(tagText);
  if ((type !== 'argon2id' && type !== 'argon2i' && type !== 'argon2d') || salt === null || tag === null) return null;
  const parameters = {
    type,
    version: version === '19' ? 0x13 : 0x10,
    salt,
    memory: Number(memory),
    iterations: Number(iterations),
    parallelism: Number(parallelism),
    tagLength: tag.length,
  } as const;
  if (!isWithinArgon2Limits(parameters)) return null;
  if (key !== undefined && tag.length !== PEPPERED_TAG_LENGTH) return null;
  return { algorithm: 'argon2', parameters, tag, keyId: key === undefined ? undefined : toUrl(key) };
}

function parseScrypt(stored: string): ScryptHash | null {
  const [, logarithm, r, p, saltText = '', tagText = ''] = scrypt.exec(stored) ?? [];
  const salt = decode(saltText);
  const tag = decode(tagText);
  if (salt === null || tag === null) return null;
  const [cost, blockSize, parallelization] = [2 ** Number(logarithm), Number(r), Number(p)];
  if (blockSize > 32 || parallelization > 16 || cost * blockSize * parallelization > 2 ** 20) return null;
  if (salt.length < 8 || salt.length > 64 || tag.length < 16 || tag.length > 64) return null;
  return { algorithm: 'scrypt', cost, blockSize, parallelization, salt, tag };
}

function encode(bytes: Uint8Array): string {
  return toStandard(base64url.encode(bytes));
}

/** Standard base64 without padding, canonical: the bits past the last byte are zero. */
function decode(text: string): Uint8Array | null {
  if (text.length === 0 || text.length % 4 === 1) return null;
  const bytes = base64url.decode(toUrl(text));
  return encode(bytes) === text ? bytes : null;
}

function toStandard(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/');
}

function toUrl(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_');
}
