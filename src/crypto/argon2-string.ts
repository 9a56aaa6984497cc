import type { Argon2Input } from './argon2.ts';
import { decodeBase64, encodeBase64, toStandard, toUrl } from './legacy/base64.ts';

/** Argon2 in the PHC string format. With a `keyId`, the tag is the pepper's HMAC over Argon2's tag. */
export interface Argon2String {
  readonly parameters: Omit<Argon2Input, 'password'>;
  readonly tag: Uint8Array;
  readonly keyId: string | undefined;
}

// The PHC string format: numbers without leading zeros, parameters in the order of the specification, a keyid of at
// most 8 bytes. A hash without a version is one of the first, 0x10.
const shape =
  /^\$(argon2(?:id|i|d))(?:\$v=(16|19))?\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,9})(?:,keyid=([A-Za-z0-9+/]{1,11}))?\$([\w+/-]+={0,2})\$([\w+/-]+={0,2})$/;
const PEPPERED_TAG_LENGTH = 32;

/** Reads `$argon2id$v=19$m=,t=,p=,keyid=$salt$tag`. Null for anything else; bounds are for others to check. */
export function parseArgon2(text: string): Argon2String | null {
  const [, type, version = '16', memory, iterations, parallelism, key, saltText = '', tagText = ''] =
    shape.exec(text) ?? [];
  if (type !== 'argon2id' && type !== 'argon2i' && type !== 'argon2d') return null;
  const salt = decodeBase64(saltText);
  const tag = decodeBase64(tagText);
  if (salt === null || tag === null) return null;
  if (key !== undefined && tag.length !== PEPPERED_TAG_LENGTH) return null;
  const parameters = {
    type,
    version: version === '19' ? 0x13 : 0x10,
    salt,
    memory: Number(memory),
    iterations: Number(iterations),
    parallelism: Number(parallelism),
    tagLength: tag.length,
  } as const;
  return { parameters, tag, keyId: key === undefined ? undefined : toUrl(key) };
}

/** Writes it. Takes the key id as base64url. */
export function formatArgon2({ parameters, keyId, tag }: Argon2String): string {
  const { type, version, memory, iterations, parallelism, salt } = parameters;
  const key = keyId === undefined ? '' : `,keyid=${toStandard(keyId)}`;
  const numbers = `m=${memory},t=${iterations},p=${parallelism}${key}`;
  return `$${type}$v=${version}$${numbers}$${encodeBase64(salt)}$${encodeBase64(tag)}`;
}

/** What Argon2 takes: a hash of our own takes a core some 15 ms. */
export const argon2Cost = ({ memory, iterations }: { readonly memory: number; readonly iterations: number }): number =>
  (memory * iterations) / 2600;
